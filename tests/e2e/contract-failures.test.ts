/** How mediasoup-client's objects end over the shim: closed by us, by the SFU, or lost with it. */
import 'aiortc-shim/global';
import type { types } from 'mediasoup-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hears, PATIENCE, picture, sees, stopTracks, tone } from './contract/media.ts';
import { Sfu } from './contract/Sfu.ts';
import { Station } from './contract/Station.ts';
import { eventually } from './eventually.ts';

/** Milliseconds until a path without consent has failed (RFC 7675, section 5.1), and what a busy machine adds. */
const CONSENT = 60_000;

let sfu: Sfu;
let anna: Station;
let bert: Station;

test.before.each(async () => {
	sfu = await Sfu.start();
	[anna, bert] = await Promise.all([Station.open(sfu.router), Station.open(sfu.router)]);
});

test.after.each(async () => {
	anna.close();
	bert.close();
	stopTracks();
	await sfu.close();
});

test('transport.close() closes all that it has: producers, consumers, channels, their tracks and its connection', async () => {
	const { all, track, client, channel, heard } = await call();
	const told = all.map((each: Ending) => new Promise<void>((resolve) => each.once('transportclose', resolve)));
	anna.send.client.close();
	bert.receive.client.close();
	await Promise.all(told);
	assert.equal(
		all.map(({ closed }) => closed),
		all.map(() => true),
	);
	assert.is(track.readyState, 'live', 'the producer was told not to stop it');
	assert.equal([client.track.readyState, heard.track.readyState], ['ended', 'ended']);
	assert.is(channel.readyState, 'closed');
	for (const { connection, client: transport } of [anna.send, bert.receive]) {
		assert.is(connection.connectionState, 'closed');
		assert.is(connection.signalingState, 'closed');
		assert.is(transport.connectionState, 'closed');
	}
});

test('the SFU hears at once that we closed: it need not wait for consent to run out', async () => {
	await call();
	const closed = new Promise((resolve) =>
		anna.send.server.on('dtlsstatechange', (state) => state === 'closed' && resolve(state)),
	);
	anna.send.client.close();
	assert.is(await closed, 'closed');
});

test('transport.close() while all is still under way leaves nothing behind and throws nowhere', async () => {
	const producing = anna.produce(await picture(1));
	const channel = anna.send.client.produceData({});
	anna.send.client.close();
	const ends = await Promise.allSettled([producing, channel]);
	assert.equal(
		ends.map(({ status }) => status),
		['rejected', 'rejected'],
	);
	assert.is(anna.send.connection.connectionState, 'closed');
});

test('a producer that the SFU closes falls silent for its consumers; another is heard on the same transports', async () => {
	const { all, heard } = await call();
	const [producer] = all as [types.Producer];
	anna.producers.get(producer.id)!.close();
	await quiet(heard);
	const next = await anna.produce(await tone(900));
	const consumer = await bert.consume(next.id);
	await hears(consumer.client.track, 900);
});

test('a transport that the SFU closes is disconnected for us at once, by its goodbye', async () => {
	await call();
	const states = statesOf(anna.send.client);
	anna.send.server.close();
	await eventually(async () => (states.length > 0 ? true : null), PATIENCE, 'a new state');
	assert.ok(['failed', 'disconnected', 'closed'].includes(anna.send.client.connectionState), `${states}`);
});

test('a router that is restarted is joined again by the same device', async () => {
	await call();
	const { device } = anna;
	const states = [anna.send, bert.receive].map(({ client }) => statesOf(client));
	await sfu.restartRouter();
	await eventually(async () => (states.every(({ length }) => length > 0) ? true : null), PATIENCE, 'new states');
	anna.close();
	bert.close();
	[anna, bert] = await Promise.all([Station.open(sfu.router, { device }), Station.open(sfu.router)]);
	const { client, heard } = await call();
	await Promise.all([sees(client.track, 7), hears(heard.track, 700)]);
});

test('an SFU that is killed says nothing: it is noticed by consent, and what we close then is closed', async () => {
	const { channel } = await call();
	const states = [anna.send, bert.receive].map(({ client }) => statesOf(client));
	await sfu.kill();
	const at = performance.now();
	const failed = async () => (states.every((told) => told.includes('failed')) ? true : null);
	await eventually(
		async () => (states.every(([first]) => first === 'disconnected') ? true : null),
		CONSENT,
		'disconnected',
	);
	const disconnected = performance.now() - at;
	await eventually(failed, CONSENT, 'failed');
	assert.ok(disconnected < 15_000, `${disconnected} ms until disconnected`);
	assert.equal(states, [
		['disconnected', 'failed'],
		['disconnected', 'failed'],
	]);
	anna.send.client.close();
	await eventually(async () => (channel.readyState === 'closed' ? true : null), PATIENCE, 'a closed channel');
});

test('a server that never answers fails: checks do not go on for ever', async () => {
	anna.send.server.close();
	const states = statesOf(anna.send.client);
	// Its `connect` is refused by a closed transport: that is the caller's to see.
	let refused: Error | null = null;
	await anna.produce(await tone(440)).catch((error: Error) => {
		refused = error;
	});
	assert.instance(refused, Error);
	assert.equal(states, []);
	assert.is(anna.send.client.connectionState, 'new');
});

/** Sound, a picture and a channel from Anna to Bert, all flowing. */
async function call() {
	const track = await picture(7);
	const video = await anna.produce(track);
	const audio = await anna.produce(await tone(700));
	const channel = await anna.produceData({ label: 'chat' });
	const [seen, heard] = [await bert.consume(video.id), await bert.consume(audio.id)];
	const messages = await bert.consumeData(channel.id);
	await Promise.all([sees(seen.client.track, 7), hears(heard.client.track, 700)]);
	const all = [audio, video, channel, seen.client, heard.client, messages];
	return { all, track, client: seen.client, heard: heard.client, channel };
}

/** What producers and consumers of either kind have in common. */
interface Ending {
	once(event: 'transportclose', listener: () => void): unknown;
}

/** The states that a transport is told of, as they come. */
function statesOf(transport: types.Transport): string[] {
	const states: string[] = [];
	transport.on('connectionstatechange', (state) => states.push(state));
	return states;
}

/** Waits until nothing comes any more. */
function quiet(consumer: types.Consumer): Promise<true> {
	const received = async () => {
		const entry = [...(await consumer.getStats()).values()].find(({ type }) => type === 'inbound-rtp');
		return (entry as RTCInboundRtpStreamStats).packetsReceived;
	};
	return eventually(
		async () => {
			const before = await received();
			await new Promise((resolve) => setTimeout(resolve, 1_000));
			return (await received()) === before || null;
		},
		PATIENCE,
		'silence',
	);
}

test.run();
