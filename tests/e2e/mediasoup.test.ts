/** What mediasoup-client does to a connection beyond a first call, over the shim, against a real router. */
import 'aiortc-shim/global';
import type { types } from 'mediasoup-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { watch } from '../../demo/verify/watch.ts';
import { eventually } from './eventually.ts';
import { Station, startRouter } from './station.ts';

const PATIENCE = 20_000;

let sfu: Awaited<ReturnType<typeof startRouter>>;
let [anna, bert]: Station[] = [];
const tracks: MediaStreamTrack[] = [];

test.before(async () => {
	sfu = await startRouter();
});

test.before.each(async () => {
	[anna, bert] = await Promise.all([Station.open(sfu.router), Station.open(sfu.router)]);
});

test.after.each(() => {
	anna!.close();
	bert!.close();
	for (const track of tracks.splice(0)) track.stop();
});

test.after(() => sfu.close());

test('a paused producer sends no picture of its own, and does again when resumed', async () => {
	const producer = await produce(await picture(3));
	const { client } = await bert!.consume(producer.id);
	await sees(client.track, 3);
	producer.pause();
	await eventually(async () => ((await rightFrames(client.track, 3)) === 0 ? true : null), PATIENCE, 'black');
	producer.resume();
	await sees(client.track, 3);
});

test('replaceTrack changes the picture, and null stops it', async () => {
	const producer = await produce(await picture(4));
	const { client } = await bert!.consume(producer.id);
	await sees(client.track, 4);
	await producer.replaceTrack({ track: await picture(5) });
	await sees(client.track, 5);
	await producer.replaceTrack({ track: null });
	await producer.replaceTrack({ track: await picture(6) });
	await sees(client.track, 6);
});

test('sections are recycled when producers come and go, and what is produced last is seen', async () => {
	await produce(await picture(1));
	for (let round = 0; round < 5; round++) {
		const producer = await produce(await picture(10 + round));
		const { client, server } = await bert!.consume(producer.id);
		await sees(client.track, 10 + round);
		producer.close();
		client.close();
		server.close();
	}
	const last = await produce(await picture(20));
	const { client } = await bert!.consume(last.id);
	await sees(client.track, 20);
});

test('an ICE restart at both transports loses neither messages nor the picture', async () => {
	const producer = await produce(await picture(7));
	const { client } = await bert!.consume(producer.id);
	const channel = await anna!.produceData({ label: 'count' });
	const consumer = await bert!.consumeData(channel.id);
	const received: number[] = [];
	consumer.on('message', (message) => received.push(Number(message)));
	let sent = 0;
	const timer = setInterval(() => channel.send(String(sent++)), 10);
	await sees(client.track, 7);
	const portsBefore = ports();
	await anna!.restartIce(anna!.send);
	await bert!.restartIce(bert!.receive);
	await sees(client.track, 7);
	await eventually(
		async () => (ports().every((port, i) => port !== portsBefore[i]) ? true : null),
		PATIENCE,
		'new ports',
	);
	clearInterval(timer);
	await eventually(async () => (received.length === sent ? true : null), PATIENCE, 'all messages');
	assert.equal(
		received,
		Array.from({ length: sent }, (_, index) => index),
	);
	assert.is(anna!.send.client.connectionState, 'connected');
	assert.is(bert!.receive.client.connectionState, 'connected');
});

test('simulcast: the SFU forwards the layer that is preferred', async () => {
	const encodings = [
		{ rid: 'r0', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
		{ rid: 'r1', scaleResolutionDownBy: 2, maxBitrate: 400_000 },
		{ rid: 'r2', maxBitrate: 1_200_000 },
	];
	const track = await picture(8, { width: 640, height: 480, frameRate: 15 });
	const producer = await anna!.send.client.produce({ track, encodings, stopTracks: false });
	const { client, server } = await bert!.consume(producer.id);
	assert.is(server.type, 'simulcast');
	for (const [spatialLayer, width] of [
		[0, 160],
		[1, 320],
		[2, 640],
	] as const) {
		await server.setPreferredLayers({ spatialLayer });
		const switched = async () => ((await watch(client.track, { code: 8, frames: 2 })).width === width ? true : null);
		await eventually(switched, PATIENCE, `a picture ${width} wide`);
		await sees(client.track, 8);
	}
});

test('getStats of a producer and a consumer count what flows', async () => {
	const producer = await produce(await picture(9));
	const { client } = await bert!.consume(producer.id);
	await sees(client.track, 9);
	const sent = entry(await producer.getStats(), 'outbound-rtp');
	assert.ok(sent.bytesSent > 1_000 && sent.framesEncoded >= 10, JSON.stringify(sent));
	const received = entry(await client.getStats(), 'inbound-rtp');
	assert.ok(received.bytesReceived > 1_000 && received.framesDecoded >= 10, JSON.stringify(received));
});

test('unordered and partially reliable channels carry messages', async () => {
	for (const options of [
		{ ordered: false, maxPacketLifeTime: 3_000 },
		{ ordered: false, maxRetransmits: 10 },
	]) {
		const channel = await anna!.produceData({ label: 'loose', ...options });
		const consumer = await bert!.consumeData(channel.id);
		const received = new Promise((resolve) => consumer.once('message', resolve));
		channel.send('here');
		assert.is(await received, 'here');
		channel.close();
		consumer.close();
	}
});

/** Where the router sees the two clients: a restart moves them. */
function ports(): (number | undefined)[] {
	return [anna!.send, bert!.receive].map(({ server }) => server.iceSelectedTuple?.remotePort);
}

function produce(track: MediaStreamTrack): Promise<types.Producer> {
	return anna!.send.client.produce({ track, stopTracks: false });
}

async function picture(code: number, size: MediaTrackConstraints = { width: 320, height: 240, frameRate: 15 }) {
	const stream = await navigator.mediaDevices.getUserMedia({ video: { ...size, code } });
	const [track] = stream.getVideoTracks();
	tracks.push(track!);
	return track!;
}

async function rightFrames(track: MediaStreamTrack, code: number): Promise<number> {
	return (await watch(track, { code, frames: 5 })).right;
}

function sees(track: MediaStreamTrack, code: number): Promise<true> {
	const look = async () => ((await rightFrames(track, code)) === 5 ? (true as const) : null);
	return eventually(look, PATIENCE, `a picture with code ${code}`);
}

// biome-ignore lint/suspicious/noExplicitAny: RTCStatsReport's entries are any in lib.dom
function entry(report: RTCStatsReport, type: string): any {
	return [...report.values()].find((stats) => stats.type === type);
}

test.run();
