/** Handlers of mediasoup-client that a page may be given for its user agent's sake, over the shim. */
import 'aiortc-shim/global';
import type { types } from 'mediasoup-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hears, look, picture, sees, stopTracks, tone } from './contract/media.ts';
import { Sfu } from './contract/Sfu.ts';
import { restartIce, Station } from './contract/Station.ts';

const LAYERS = [
	{ scaleResolutionDownBy: 4, maxBitrate: 100_000 },
	{ scaleResolutionDownBy: 2, maxBitrate: 300_000 },
	{ scaleResolutionDownBy: 1, maxBitrate: 900_000 },
];

let sfu: Sfu;
let station: Station;

test.before(async () => {
	sfu = await Sfu.start();
	installDocument(await picture(0));
});

test.after.each(() => {
	station.close();
	stopTracks();
});

test.after(() => sfu.close());

for (const handlerName of ['Chrome111', 'Chrome74', 'Safari12', 'Firefox120'] as const) {
	test(`${handlerName}: pictures, sound and messages flow, at once and after an ICE restart`, async () => {
		station = await Station.open(sfu.router, { handlerName });
		assert.is(station.device.handlerName, handlerName);
		const { video, seen, heard } = await call();
		assert.ok(video.rtpParameters.encodings![0]!.ssrc);
		await restartIce(station.send);
		await restartIce(station.receive);
		await Promise.all([sees(seen.track, 1), hears(heard.track, 500)]);
	});

	test(`${handlerName}: producers and consumers are paused, replaced and closed, and others follow`, async () => {
		station = await Station.open(sfu.router, { handlerName });
		const { video, audio, seen, heard } = await call();
		video.pause();
		video.resume();
		await video.replaceTrack({ track: await picture(2) });
		await sees(seen.track, 2);
		audio.close();
		heard.close();
		const next = await station.produce(await tone(900));
		const consumer = await station.consume(next.id);
		await hears(consumer.client.track, 900);
		video.close();
		seen.close();
		const last = await station.produce(await picture(3));
		const lastSeen = await station.consume(last.id);
		await Promise.all([sees(lastSeen.client.track, 3), hears(consumer.client.track, 900)]);
	});

	test(`${handlerName}: with zeroRtpOnPause a paused producer is resumed`, async () => {
		station = await Station.open(sfu.router, { handlerName });
		const producer = await station.produce(await picture(4), { zeroRtpOnPause: true });
		const { client } = await station.consume(producer.id);
		await sees(client.track, 4);
		producer.pause();
		producer.resume();
		await sees(client.track, 4);
	});
}

for (const handlerName of ['Chrome111', 'Chrome74', 'Firefox120'] as const) {
	test(`${handlerName}: three layers of simulcast, and the SFU goes between them`, async () => {
		station = await Station.open(sfu.router, { handlerName });
		const track = await picture(5, { width: 640, height: 480 });
		const producer = await station.produce(track, { encodings: structuredClone(LAYERS) });
		const { client, server } = await station.consume(producer.id);
		assert.is(server.type, 'simulcast');
		for (const [layer, width] of [
			[0, 160],
			[2, 640],
			[1, 320],
		] as const) {
			await server.setPreferredLayers({ spatialLayer: layer });
			await becomes(client.track, width);
		}
	});
}

/** A picture, sound and a message through the SFU and back. */
async function call() {
	const [video, audio] = [await station.produce(await picture(1)), await station.produce(await tone(500))];
	const [seen, heard] = [await station.consume(video.id), await station.consume(audio.id)];
	await Promise.all([sees(seen.client.track, 1), hears(heard.client.track, 500)]);
	const channel = await station.produceData({ label: 'chat' });
	const messages = await station.consumeData(channel.id);
	const received = new Promise((resolve) => messages.once('message', resolve));
	channel.send('hello');
	assert.is(await received, 'hello');
	return { video, audio, seen: seen.client as types.Consumer, heard: heard.client as types.Consumer };
}

function becomes(track: MediaStreamTrack, width: number): Promise<true> {
	return look<VideoFrame, true>(track, `a picture ${width} wide`, async (frame) => frame.codedWidth === width || null);
}

/** Firefox's handler draws a canvas to have a track; pages have one. */
function installDocument(track: MediaStreamTrack): void {
	const canvas = {
		getContext: () => null,
		captureStream: () => new MediaStream([track.clone()]),
		remove: () => {},
	};
	Object.assign(globalThis, { document: { createElement: () => canvas } });
}

test.run();
