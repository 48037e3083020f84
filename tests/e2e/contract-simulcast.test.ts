/** Simulcast of mediasoup-client over the shim: the SFU chooses among layers that are really there. */
import 'aiortc-shim/global';
import type { types as server } from 'mediasoup';
import type { types } from 'mediasoup-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attributes, sections } from './contract/connections.ts';
import { look, PATIENCE, picture, sees, stopTracks } from './contract/media.ts';
import { Sfu } from './contract/Sfu.ts';
import { Station } from './contract/Station.ts';
import { eventually } from './eventually.ts';

const LAYERS = [
	{ scaleResolutionDownBy: 4, maxBitrate: 100_000 },
	{ scaleResolutionDownBy: 2, maxBitrate: 250_000 },
	{ scaleResolutionDownBy: 1, maxBitrate: 600_000 },
];
const SIZE = { width: 640, height: 480, frameRate: 10 };
const WIDTHS = [160, 320, 640] as const;

let sfu: Sfu;
let anna: Station;
let bert: Station;

test.before(async () => {
	sfu = await Sfu.start();
});

test.before.each(async () => {
	[anna, bert] = [await Station.open(sfu.router), await Station.open(sfu.router)];
});

test.after.each(() => {
	anna.close();
	bert.close();
	stopTracks();
});

test.after(() => sfu.close());

test('three VP8 layers, and the SFU goes up and down between them', async () => {
	const { producer, consumer } = await simulcast(1);
	assert.equal(
		producer.rtpParameters.encodings!.map(({ rid }) => rid),
		['r0', 'r1', 'r2'],
	);
	assert.is(consumer.server.type, 'simulcast');
	const scores = () => anna.producers.get(producer.id)!.score;
	const alive = async () => (scores().filter(({ score }) => score > 0).length === 3 ? true : null);
	await eventually(alive, PATIENCE, 'three streams that the SFU scores');
	for (const layer of [0, 2, 1, 2, 0] as const) {
		await consumer.server.setPreferredLayers({ spatialLayer: layer });
		await becomes(consumer.client.track, WIDTHS[layer]);
		assert.is(consumer.server.currentLayers?.spatialLayer, layer);
		assert.is((await sees(consumer.client.track, 1)).width, WIDTHS[layer]);
	}
});

test('setMaxSpatialLayer ends the layers above: both descriptions say so, and the SFU falls back', async () => {
	const { producer, consumer } = await simulcast(2);
	await consumer.server.setPreferredLayers({ spatialLayer: 2 });
	await becomes(consumer.client.track, 640);
	await producer.setMaxSpatialLayer(1);
	assert.equal(
		producer.rtpSender!.getParameters().encodings.map(({ active }) => active),
		[true, true, false],
	);
	const answer = sections(anna.send.connection.currentRemoteDescription)[0]!;
	assert.match(attributes(answer, 'simulcast')[0]!, /~r2/);
	await becomes(consumer.client.track, 320);
	await producer.setMaxSpatialLayer(2);
	await becomes(consumer.client.track, 640);
});

test('a simulcast producer is paused, resumed, given another track, closed, and its section used again', async () => {
	const { producer, consumer } = await simulcast(3);
	await sees(consumer.client.track, 3);
	producer.pause();
	producer.resume();
	await producer.replaceTrack({ track: await picture(4, SIZE) });
	await sees(consumer.client.track, 4);
	producer.close();
	anna.producers.get(producer.id)!.close();
	const plain = await anna.produce(await picture(5));
	const next = await bert.consume(plain.id);
	await sees(next.client.track, 5);
	assert.is(plain.rtpParameters.encodings!.length, 1);
	assert.ok(plain.rtpParameters.encodings![0]!.ssrc);
	const again = await simulcast(6);
	await sees(again.consumer.client.track, 6);
});

test('each layer is an outbound stream with its rid in the statistics', async () => {
	const { producer } = await simulcast(7);
	const outbound = async () => {
		const streams = [...(await producer.getStats()).values()].filter(({ type }) => type === 'outbound-rtp');
		return streams.length === 3 && streams.every(({ framesEncoded }) => framesEncoded > 5)
			? streams.sort((a, b) => a.encodingIndex - b.encodingIndex)
			: null;
	};
	const streams = await eventually(outbound, PATIENCE, 'frames of three layers');
	assert.equal(
		streams.map(({ rid }) => rid),
		['r0', 'r1', 'r2'],
	);
	assert.equal(
		streams.map(({ frameWidth }) => frameWidth),
		[...WIDTHS],
	);
	assert.is(new Set(streams.map(({ ssrc }) => ssrc)).size, 3);
});

async function simulcast(code: number): Promise<{
	producer: types.Producer;
	consumer: { client: types.Consumer; server: server.Consumer };
}> {
	const encodings = structuredClone(LAYERS);
	const codecOptions = { videoGoogleStartBitrate: 1_000 };
	const producer = await anna.produce(await picture(code, SIZE), { encodings, codecOptions });
	return { producer, consumer: await bert.consume(producer.id) };
}

/** Reads a track until its picture has a width. */
function becomes(track: MediaStreamTrack, width: number): Promise<true> {
	return look<VideoFrame, true>(track, `a picture ${width} wide`, async (frame) => frame.codedWidth === width || null);
}

test.run();
