/** mediasoup-client's consumers over the shim. */
import 'aiortc-shim/global';
import type { types as server } from 'mediasoup';
import type { types } from 'mediasoup-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attributes, sections } from './contract/connections.ts';
import { hears, PATIENCE, picture, sees, stopTracks, tone } from './contract/media.ts';
import { Sfu } from './contract/Sfu.ts';
import { Station } from './contract/Station.ts';
import { eventually } from './eventually.ts';

let sfu: Sfu;
let anna: Station;
let bert: Station;
/** Bert's receiving connection. */
let connection: RTCPeerConnection;
let described = 0;

test.before(async () => {
	sfu = await Sfu.start();
});

test.before.each(async () => {
	anna = await Station.open(sfu.router);
	bert = await Station.open(sfu.router);
	connection = bert.receive.connection;
	described = 0;
	connection.addEventListener('signalingstatechange', () => {
		if (connection.signalingState === 'have-remote-offer') described++;
	});
});

test.after.each(() => {
	anna.close();
	bert.close();
	stopTracks();
});

test.after(() => sfu.close());

test('consume() of many in one tick makes one offer and one answer, and each flows', async () => {
	const codes = [1, 2, 3];
	const frequencies = [500, 700, 900];
	const videos = await Promise.all(codes.map(async (code) => anna.produce(await picture(code))));
	const audios = await Promise.all(frequencies.map(async (frequency) => anna.produce(await tone(frequency))));
	const prepared = await Promise.all([...videos, ...audios].map(({ id }) => prepare(id)));
	const clients = await Promise.all(prepared.map(({ options }) => bert.receive.client.consume(options)));
	assert.is(described, 1);
	await Promise.all(prepared.map(({ consumer }) => consumer.resume()));
	await Promise.all(codes.map((code, index) => sees(clients[index]!.track, code)));
	await Promise.all(frequencies.map((frequency, index) => hears(clients[codes.length + index]!.track, frequency)));
	assert.is(mediaSections().length, 6);
	assert.is(bert.dtls.length, 1, 'over one transport');
	for (const { rtpReceiver, track } of clients) assert.is(rtpReceiver!.track, track);
});

test('a paused consumer’s track is disabled; resumed, it is seen again', async () => {
	const { client, server } = await bert.consume((await anna.produce(await picture(4))).id);
	await sees(client.track, 4);
	client.pause();
	await server.pause();
	assert.not(client.track.enabled);
	client.resume();
	await server.resume();
	assert.ok(client.track.enabled);
	await sees(client.track, 4);
});

test('a producer that the SFU pauses falls silent, and its consumers hear it again when it is resumed', async () => {
	const producer = await anna.produce(await tone(800));
	const { client } = await bert.consume(producer.id);
	await hears(client.track, 800);
	const muted = new Promise((resolve) => client.track.addEventListener('mute', resolve, { once: true }));
	await anna.producers.get(producer.id)!.pause();
	await muted;
	await anna.producers.get(producer.id)!.resume();
	await hears(client.track, 800);
	assert.not(client.track.muted);
});

test('what the SFU sends late is decoded from its first picture: it asked us for a keyframe', async () => {
	const producer = await anna.produce(await picture(5));
	const { client, server } = await bert.consume(producer.id);
	await sees(client.track, 5);
	client.close();
	server.close();
	const before = keyFrames(await producer.getStats());
	const late = await bert.consume(producer.id);
	await sees(late.client.track, 5);
	assert.ok(keyFrames(await producer.getStats()) > before, 'a keyframe was made for it');
});

test('closed consumers leave sections to those of their kind only; ended tracks say so', async () => {
	const [video, audio] = [await anna.produce(await picture(6)), await anna.produce(await tone(600))];
	const first = await bert.consume(video.id);
	const second = await bert.consume(audio.id);
	const index = mediaSections().length - 1;
	second.client.close();
	second.server.close();
	assert.is(second.client.track.readyState, 'ended');
	const closed = async () => (/^m=audio 0 /.test(mediaSections()[index]!) ? true : null);
	await eventually(closed, PATIENCE, 'a closed section');
	assert.equal(attributes(mediaSections()[index]!, 'ice-ufrag'), []);
	const third = await bert.consume(video.id);
	assert.match(mediaSections()[index]!, /^m=audio 0 /, 'a picture takes no section of sound');
	const fourth = await bert.consume(audio.id);
	assert.match(mediaSections()[index]!, /^m=audio [1-9]/);
	assert.is(mediaSections().length, 3);
	await Promise.all([sees(first.client.track, 6), sees(third.client.track, 6), hears(fourth.client.track, 600)]);
});

test('the first consumer’s section stays, inactive, when it is closed: the transport is its', async () => {
	const [video, audio] = [await anna.produce(await picture(7)), await anna.produce(await tone(600))];
	const first = await bert.consume(video.id);
	const second = await bert.consume(audio.id);
	first.client.close();
	first.server.close();
	const inactive = async () => (attributes(mediaSections()[0]!, 'inactive').length ? true : null);
	await eventually(inactive, PATIENCE, 'an inactive section');
	assert.match(mediaSections()[0]!, /^m=video [1-9]/);
	await hears(second.client.track, 600);
});

test('consumers come and go ten times on one transport, and the last is seen', async () => {
	const producer = await anna.produce(await picture(8));
	for (let round = 0; round < 10; round++) {
		const { client, server } = await bert.consume(producer.id);
		client.close();
		server.close();
	}
	const { client } = await bert.consume(producer.id);
	await sees(client.track, 8);
	assert.ok(mediaSections().length <= 3);
});

test('two consumers of one stream id are two tracks of one stream; others apart', async () => {
	const [video, audio] = [await anna.produce(await picture(9)), await anna.produce(await tone(600))];
	const [seen, heard] = await Promise.all([prepare(video.id), prepare(audio.id)]);
	const streams: string[][] = [];
	connection.addEventListener('track', (event) => streams.push(event.streams.map(({ id }) => id)));
	await Promise.all([seen, heard].map(({ options }) => bert.receive.client.consume({ ...options, streamId: 'both' })));
	assert.equal(streams, [['both'], ['both']]);
});

test('onRtpReceiver is given the receiver before anything arrives', async () => {
	const { options } = await prepare((await anna.produce(await tone(600))).id);
	let receiver: RTCRtpReceiver | null = null;
	const client = await bert.receive.client.consume({
		...options,
		onRtpReceiver: (given) => {
			receiver = given;
		},
	});
	assert.is(client.rtpReceiver, receiver);
});

test('a stereo producer reaches its consumer in stereo: the answer says so', async () => {
	const track = await tone(700, { channelCount: 2 });
	const producer = await anna.produce(track, { codecOptions: { opusStereo: true } });
	const { client } = await bert.consume(producer.id);
	await hears(client.track, 700);
	assert.match(attributes(mediaSections()[0]!, 'fmtp').join(), /\bstereo=1/);
});

/** A consumer at the SFU, paused, and what its client needs. */
async function prepare(producerId: string): Promise<{ consumer: server.Consumer; options: types.ConsumerOptions }> {
	const rtpCapabilities = bert.device.recvRtpCapabilities as server.RtpCapabilities;
	const consumer = await bert.receive.server.consume({ producerId, rtpCapabilities, paused: true });
	const { id, kind } = consumer;
	return { consumer, options: { id, producerId, kind, rtpParameters: consumer.rtpParameters as types.RtpParameters } };
}

/** Those of consumers: with the first picture mediasoup-client adds one of its own, in which the SFU probes the path. */
function mediaSections(): string[] {
	return sections(connection.currentLocalDescription).filter((each) => attributes(each, 'mid')[0] !== 'probator');
}

function keyFrames(report: RTCStatsReport): number {
	const stats = [...report.values()].find(({ type }) => type === 'outbound-rtp');
	return (stats as RTCOutboundRtpStreamStats).keyFramesEncoded!;
}

test.run();
