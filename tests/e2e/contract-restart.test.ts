/** What keeps flowing over mediasoup-client when the path changes, and when it loses packets. */
import 'aiortc-shim/global';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attributes } from './contract/connections.ts';
import { hears, look, PATIENCE, picture, sees, stopTracks, tone } from './contract/media.ts';
import { Sfu } from './contract/Sfu.ts';
import { restartIce, Station, type StationOptions } from './contract/Station.ts';
import { eventually } from './eventually.ts';

/** Milliseconds for which media flows under loss. */
const WHILE = 8_000;

let sfu: Sfu;
const stations: Station[] = [];

test.before(async () => {
	sfu = await Sfu.start();
});

test.after.each(() => {
	for (const station of stations.splice(0)) station.close();
	stopTracks();
});

test.after(() => sfu.close());

test('ICE restarts of both transports, one after the other and again, lose no message and stop no media', async () => {
	const [anna, bert] = await Promise.all([open(), open()]);
	const [video, audio] = [await anna.produce(await picture(1)), await anna.produce(await tone(500))];
	const [seen, heard] = [await bert.consume(video.id), await bert.consume(audio.id)];
	const count = await counter(anna, bert);
	const states = [anna.send, bert.receive].flatMap(({ client }) => {
		const told: string[] = [];
		client.on('connectionstatechange', (state) => told.push(state));
		return [told];
	});
	await Promise.all([sees(seen.client.track, 1), hears(heard.client.track, 500)]);
	for (let round = 0; round < 2; round++) {
		const before = [anna.send, bert.receive].map(({ server }) => server.iceSelectedTuple?.remotePort);
		const described = anna.send.connection.currentLocalDescription!.sdp;
		const offered = bert.receive.connection.currentRemoteDescription!.sdp;
		await restartIce(anna.send);
		await restartIce(bert.receive);
		const again = anna.send.connection.currentLocalDescription!.sdp;
		assert.equal(attributes(again, 'mid'), attributes(described, 'mid'), 'mids stay');
		assert.is.not(attributes(again, 'ice-ufrag')[0], attributes(described, 'ice-ufrag')[0]);
		assert.equal(attributes(again, 'fingerprint'), attributes(described, 'fingerprint'));
		const offeredAgain = bert.receive.connection.currentRemoteDescription!.sdp;
		assert.is.not(offeredAgain, offered);
		assert.is(withoutCredentials(offeredAgain), withoutCredentials(offered), 'nothing else changes of a remote offer');
		const moved = async () => {
			const now = [anna.send, bert.receive].map(({ server }) => server.iceSelectedTuple?.remotePort);
			return now.every((port, index) => port !== before[index]) ? true : null;
		};
		await eventually(moved, PATIENCE, 'new ports at the SFU');
		await Promise.all([sees(seen.client.track, 1), hears(heard.client.track, 500)]);
	}
	await count.check();
	assert.equal(states, [[], []], 'connected all the time');
	assert.equal(
		[anna.send, bert.receive].map(({ client }) => client.connectionState),
		['connected', 'connected'],
	);
});

test('both transports restarted in the same tick go on', async () => {
	const station = await open();
	const producer = await station.produce(await picture(2));
	const { client } = await station.consume(producer.id);
	await sees(client.track, 2);
	await Promise.all([restartIce(station.send), restartIce(station.receive)]);
	await sees(client.track, 2);
});

test('a transport restarted before anything was sent connects with the new credentials', async () => {
	const station = await open();
	await restartIce(station.send);
	const producer = await station.produce(await tone(700));
	const { client } = await station.consume(producer.id);
	await hears(client.track, 700);
});

test('a dead path is noticed; it is taken up again by itself when it lives, without a restart', async () => {
	const station = await open({ loss: LITTLE });
	const producer = await station.produce(await picture(3));
	const { client } = await station.consume(producer.id);
	await sees(client.track, 3);
	const states: string[] = [];
	station.send.client.on('connectionstatechange', (state) => states.push(state));
	for (const { relay } of [station.send, station.receive]) relay!.loss = 1;
	await eventually(async () => (states.includes('disconnected') ? true : null), PATIENCE, 'disconnected');
	for (const { relay } of [station.send, station.receive]) relay!.loss = 0;
	await eventually(async () => (states.at(-1) === 'connected' ? true : null), PATIENCE, 'connected');
	await sees(client.track, 3);
});

test('a dead path is left by an ICE restart through another', async () => {
	const station = await open({ loss: LITTLE });
	const producer = await station.produce(await picture(4));
	const { client } = await station.consume(producer.id);
	await sees(client.track, 4);
	const { send } = station;
	send.relay!.loss = 1;
	await eventually(
		async () => (send.client.connectionState === 'disconnected' ? true : null),
		PATIENCE,
		'disconnected',
	);
	send.relay!.loss = 0;
	await restartIce(send);
	await eventually(async () => (send.client.connectionState === 'connected' ? true : null), PATIENCE, 'connected');
	await sees(client.track, 4);
});

test('5 % loss both ways: pictures and sound go on, repaired by RTX, and no message is lost', async () => {
	const [anna, bert] = await Promise.all([open({ loss: 0.05 }), open({ loss: 0.05 })]);
	const video = await anna.produce(await picture(5, { width: 320, height: 240, frameRate: 15 }));
	const audio = await anna.produce(await tone(500));
	const [seen, heard] = [await bert.consume(video.id), await bert.consume(audio.id)];
	const count = await counter(anna, bert);
	await Promise.all([sees(seen.client.track, 5), hears(heard.client.track, 500)]);
	const gap = await longestGap(seen.client.track);
	await Promise.all([sees(seen.client.track, 5), hears(heard.client.track, 500)]);
	await count.check();
	// Chance may spare the pictures of these seconds on one of the two ways.
	const sentAgain = async () => {
		const sent = stats<RTCOutboundRtpStreamStats>(await video.getStats(), 'outbound-rtp');
		return sent.retransmittedPacketsSent! > 0 || null;
	};
	const receivedAgain = async () => {
		const received = stats<RTCInboundRtpStreamStats>(await seen.client.getStats(), 'inbound-rtp');
		return (retransmittedTo(received) > 0 && received.nackCount! > 0) || null;
	};
	await eventually(sentAgain, PATIENCE, 'sent again');
	await eventually(receivedAgain, PATIENCE, 'received again');
	for (const { relay } of [anna.send, bert.receive]) assert.ok(relay!.lost > 10);
	assert.ok(gap < 3_000, `the picture stood still for ${gap} ms`);
});

/** A description but for its ICE credentials, and the version of its session. */
function withoutCredentials(sdp: string): string {
	return sdp.replace(/^(a=ice-(ufrag|pwd):|o=).*$/gm, '$1');
}

/** So little loss that the relay is all there is of it. */
const LITTLE = 1e-9;

async function open(options: StationOptions = {}): Promise<Station> {
	const station = await Station.open(sfu.router, options);
	stations.push(station);
	return station;
}

/** Counts aloud over a reliable channel until it is checked. */
async function counter(from: Station, to: Station) {
	const producer = await from.produceData({ label: 'count' });
	const consumer = await to.consumeData(producer.id);
	const received: number[] = [];
	consumer.on('message', (message) => received.push(Number(message)));
	let sent = 0;
	const timer = setInterval(() => producer.send(String(sent++)), 20);
	const check = async () => {
		clearInterval(timer);
		await eventually(async () => (received.length >= sent ? true : null), PATIENCE, `${sent} messages`);
		assert.equal(
			received,
			Array.from({ length: sent }, (_, index) => index),
		);
	};
	return { check };
}

/** The longest time without a new frame, in ms, within a while. */
function longestGap(track: MediaStreamTrack): Promise<number> {
	let [start, last, longest] = [0, 0, 0];
	return look<VideoFrame, number>(track, 'frames for a while', async () => {
		const now = performance.now();
		start ||= now;
		longest = Math.max(longest, now - (last || now));
		last = now;
		return now - start > WHILE ? longest : null;
	});
}

function stats<T>(report: RTCStatsReport, type: RTCStatsType): T {
	return [...report.values()].find((each) => each.type === type) as T;
}

/** lib.dom does not have it yet. */
function retransmittedTo(received: RTCInboundRtpStreamStats): number {
	return (received as RTCInboundRtpStreamStats & { retransmittedPacketsReceived: number }).retransmittedPacketsReceived;
}

test.run();
