/** getStats() of mediasoup-client over the shim: numbers that are there, agree, and move. */
import 'aiortc-shim/global';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { hears, PATIENCE, picture, sees, stopTracks, tone } from './contract/media.ts';
import { Sfu } from './contract/Sfu.ts';
import { Station } from './contract/Station.ts';
import { eventually } from './eventually.ts';

let sfu: Sfu;
let station: Station;

test.before(async () => {
	sfu = await Sfu.start();
});

test.before.each(async () => {
	station = await Station.open(sfu.router);
});

test.after.each(() => {
	station.close();
	stopTracks();
});

test.after(() => sfu.close());

test('a producer’s numbers are its own, and rise while it sends', async () => {
	const video = await station.produce(await picture(1));
	const audio = await station.produce(await tone(500));
	const { client } = await station.consume(video.id);
	await sees(client.track, 1);
	await rises(() => video.getStats(), 'outbound-rtp', [
		'packetsSent',
		'bytesSent',
		'headerBytesSent',
		'framesEncoded',
		'framesSent',
	]);
	await rises(() => audio.getStats(), 'outbound-rtp', ['packetsSent', 'bytesSent']);
	const report = await video.getStats();
	const outbound = one(report, 'outbound-rtp');
	assert.is(outbound.ssrc, video.rtpParameters.encodings![0]!.ssrc);
	assert.is(outbound.mid, video.rtpParameters.mid);
	assert.equal([outbound.frameWidth, outbound.frameHeight, outbound.kind], [160, 120, 'video']);
	assert.ok(outbound.keyFramesEncoded >= 1);
	assert.is(one(report, 'codec').mimeType, 'video/VP8');
	assert.is(one(report, 'media-source').trackIdentifier, video.track!.id);
	const reported = await eventually(
		async () => find(await video.getStats(), 'remote-inbound-rtp'),
		PATIENCE,
		'a report',
	);
	assert.ok(reported.roundTripTime >= 0 && reported.roundTripTime < 5, `${reported.roundTripTime} s of round trip`);
	assert.is(reported.localId, outbound.id);
});

test('a consumer’s numbers are its own, and rise while it is read', async () => {
	const video = await station.produce(await picture(2));
	const audio = await station.produce(await tone(500));
	const [seen, heard] = [await station.consume(video.id), await station.consume(audio.id)];
	await Promise.all([sees(seen.client.track, 2), hears(heard.client.track, 500)]);
	await rises(() => seen.client.getStats(), 'inbound-rtp', ['packetsReceived', 'bytesReceived', 'framesReceived']);
	await rises(() => heard.client.getStats(), 'inbound-rtp', ['packetsReceived', 'bytesReceived']);
	const report = await seen.client.getStats();
	const inbound = one(report, 'inbound-rtp');
	assert.is(inbound.ssrc, seen.client.rtpParameters.encodings![0]!.ssrc);
	assert.is(inbound.trackIdentifier, seen.client.track.id);
	assert.ok(inbound.framesDecoded >= 1 && inbound.keyFramesDecoded >= 1);
	assert.equal([inbound.frameWidth, inbound.frameHeight], [160, 120]);
	assert.is(one(report, 'codec').mimeType, 'video/VP8');
	const decoded = inbound.framesDecoded;
	await rises(() => seen.client.getStats(), 'inbound-rtp', ['packetsReceived']);
	assert.is(
		one(await seen.client.getStats(), 'inbound-rtp').framesDecoded,
		decoded,
		'what nobody reads is not decoded',
	);
	await sees(seen.client.track, 2);
	assert.ok(one(await seen.client.getStats(), 'inbound-rtp').framesDecoded > decoded);
});

test('a transport’s report has all: the pair in use, the DTLS under it, every stream and channel; and it rises', async () => {
	const video = await station.produce(await picture(3));
	await station.produce(await tone(500));
	const channel = await station.produceData({ label: 'chat', protocol: 'talk' });
	const { client } = await station.consume(video.id);
	await sees(client.track, 3);
	for (let index = 0; index < 3; index++) channel.send('hello');
	await rises(() => station.send.client.getStats(), 'transport', [
		'packetsSent',
		'bytesSent',
		'packetsReceived',
		'bytesReceived',
	]);
	const report = await station.send.client.getStats();
	const transport = one(report, 'transport');
	assert.equal([transport.dtlsState, transport.iceState, transport.dtlsRole], ['connected', 'completed', 'client']);
	const pair = report.get(transport.selectedCandidatePairId);
	assert.is(report.get(pair.remoteCandidateId).port, station.send.server.iceSelectedTuple!.localPort);
	assert.is(report.get(pair.localCandidateId).port, station.send.server.iceSelectedTuple!.remotePort);
	assert.ok(pair.currentRoundTripTime >= 0 && pair.responsesReceived > 0);
	assert.ok(report.get(transport.localCertificateId).fingerprint === station.dtls[0]!.fingerprints[0]!.value);
	const outbound = all(report, 'outbound-rtp');
	assert.equal(outbound.map(({ kind }) => kind).sort(), ['audio', 'video']);
	const messages = one(report, 'data-channel');
	assert.equal([messages.label, messages.protocol, messages.state], ['chat', 'talk', 'open']);
	assert.is(messages.messagesSent, 3);
	assert.is(messages.bytesSent, 15);
	assert.equal(all(await station.receive.client.getStats(), 'inbound-rtp').length >= 1, true);
});

test('what the SFU counts of a stream is what we count', async () => {
	const producer = await station.produce(await tone(500));
	const { client } = await station.consume(producer.id);
	await hears(client.track, 500);
	const { packetsSent } = one(await producer.getStats(), 'outbound-rtp');
	const [received] = await station.producers.get(producer.id)!.getStats();
	const later = one(await producer.getStats(), 'outbound-rtp').packetsSent;
	const seen = received!.packetCount;
	assert.ok(seen >= packetsSent - 5 && seen <= later, `${seen} packets at the SFU; we sent ${packetsSent} to ${later}`);
});

// biome-ignore lint/suspicious/noExplicitAny: RTCStatsReport's entries are any in lib.dom
type Entry = any;

function all(report: RTCStatsReport, type: string): Entry[] {
	return [...report.values()].filter((entry) => entry.type === type);
}

function find(report: RTCStatsReport, type: string): Entry | null {
	return all(report, type)[0] ?? null;
}

/** The only entry of a type. */
function one(report: RTCStatsReport, type: string): Entry {
	const found = all(report, type);
	assert.is(found.length, 1, `${found.length} entries of ${type}`);
	return found[0];
}

/** Waits until every one of these members of an entry has risen since the first look. */
async function rises(read: () => Promise<RTCStatsReport>, type: string, names: string[]): Promise<void> {
	const first = await eventually(async () => find(await read(), type), PATIENCE, `an entry of ${type}`);
	const risen = async () => {
		const now = find(await read(), type);
		assert.is(now.id, first.id);
		assert.ok(now.timestamp > first.timestamp);
		return names.every((name) => now[name] > first[name]) || null;
	};
	await eventually(risen, PATIENCE, `${names} of ${type} to rise from ${JSON.stringify(first)}`);
}

test.run();
