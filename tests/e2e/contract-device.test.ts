/** How mediasoup-client finds the shim, and what it asks of a connection before anything flows. */
import 'aiortc-shim/global';
import { Device, type types } from 'mediasoup-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attributes, connections, sections } from './contract/connections.ts';
import { hears, PATIENCE, stopTracks, tone } from './contract/media.ts';
import { Sfu } from './contract/Sfu.ts';
import { Station, type StationOptions } from './contract/Station.ts';
import { eventually } from './eventually.ts';

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

test('a device is detected as Chrome111, by the brand alone: the user agent stays the runtime’s', () => {
	assert.match(navigator.userAgent, /^Node\.js\//);
	assert.is(new Device().handlerName, 'Chrome111');
});

test('without the brand there is no device: nothing else makes one in a runtime', () => {
	const brand = Object.getOwnPropertyDescriptor(navigator, 'userAgentData')!;
	Reflect.deleteProperty(navigator, 'userAgentData');
	try {
		assert.throws(
			() => new Device(),
			(error: Error) => error.name === 'UnsupportedError',
		);
		assert.is(new Device({ handlerName: 'Chrome111' }).handlerName, 'Chrome111');
	} finally {
		Object.defineProperty(navigator, 'userAgentData', brand);
	}
});

test('the asynchronous detection finds the same', async () => {
	assert.is((await Device.factory()).handlerName, 'Chrome111');
});

test('the device loads: it can send and receive opus, VP8 and H264, with RTX and the extensions that the SFU uses', async () => {
	const device = new Device();
	await device.load({ routerRtpCapabilities: sfu.router.rtpCapabilities as types.RtpCapabilities });
	assert.ok(device.canProduce('audio') && device.canProduce('video'));
	for (const { codecs, headerExtensions } of [device.sendRtpCapabilities, device.recvRtpCapabilities]) {
		assert.equal(codecs?.map(({ mimeType }) => mimeType.toLowerCase()).sort(), [
			'audio/opus',
			'video/h264',
			'video/rtx',
			'video/rtx',
			'video/vp8',
		]);
		for (const codec of codecs ?? []) {
			if (/vp8|h264/i.test(codec.mimeType)) assert.equal(codec.rtcpFeedback?.map(feedback).sort(), VIDEO_FEEDBACK);
		}
		const uris = headerExtensions?.map(({ uri }) => uri) ?? [];
		for (const uri of EXTENSIONS) assert.ok(uris.includes(uri as never), `${uri} is not among ${uris}`);
	}
});

test('loading leaves no connection open', async () => {
	const before = connections.length;
	const device = new Device();
	await device.load({ routerRtpCapabilities: sfu.router.rtpCapabilities as types.RtpCapabilities });
	const used = connections.slice(before);
	assert.ok(used.length > 0);
	for (const each of used) assert.is(each.connectionState, 'closed');
});

test('a transport has its connection at once, with the configuration that it was given', async () => {
	const iceServers = [{ urls: 'stun:127.0.0.1:9' }];
	const additionalSettings = { iceCandidatePoolSize: 0 };
	const station = await open({ transport: { iceServers, iceTransportPolicy: 'relay', additionalSettings } });
	const { connection } = station.send;
	assert.is(connection!.connectionState, 'new');
	const { bundlePolicy, rtcpMuxPolicy, iceTransportPolicy, iceServers: kept } = connection!.getConfiguration();
	assert.equal([bundlePolicy, rtcpMuxPolicy, iceTransportPolicy], ['max-bundle', 'require', 'relay']);
	assert.equal(
		kept?.flatMap(({ urls }) => urls),
		['stun:127.0.0.1:9'],
	);
	await station.send.client.updateIceServers({ iceServers: [{ urls: 'stun:127.0.0.1:10' }] });
	assert.equal(
		connection!.getConfiguration().iceServers?.flatMap(({ urls }) => urls),
		['stun:127.0.0.1:10'],
	);
});

test('a server of ICE that does not answer is told by icecandidateerror, and the call goes on', async () => {
	const iceServers = [{ urls: 'stun:no-such-host.invalid' }];
	const station = await open({ transport: { iceServers } });
	const told: RTCPeerConnectionIceErrorEvent[] = [];
	station.send.client.on('icecandidateerror', (event) => told.push(event));
	const producer = await station.produce(await tone(440));
	const { errorCode, url } = await eventually(async () => told[0] ?? null, PATIENCE, 'an error');
	assert.equal([errorCode, url], [701, 'stun:no-such-host.invalid']);
	const { client } = await station.consume(producer.id);
	await hears(client.track, 440);
});

test('the server is told of our DTLS before anything is sent: one sha-256 fingerprint, as the client', async () => {
	const station = await open();
	const states: string[] = [];
	station.send.client.on('connectionstatechange', (state) => states.push(state));
	const gathering: string[] = [];
	station.send.client.on('icegatheringstatechange', (state) => gathering.push(state));
	const producer = await station.produce(await tone(440));
	assert.is(station.dtls.length, 1);
	const [{ role, fingerprints }] = station.dtls as [types.DtlsParameters];
	assert.is(role, 'client');
	assert.equal(
		fingerprints.map(({ algorithm }) => algorithm),
		['sha-256'],
	);
	const { client } = await station.consume(producer.id);
	await hears(client.track, 440);
	assert.equal(states, ['connecting', 'connected']);
	assert.equal(gathering, ['gathering', 'complete']);
	assert.is(station.send.server.dtlsState, 'connected');
	assert.is(station.send.server.iceSelectedTuple?.protocol, 'udp');
});

test('offers carry what the server must know: setup, fingerprint, a port that is not 0, mid, cname and RTX', async () => {
	const station = await open();
	await station.produce(await tone(440));
	const { connection } = station.send;
	const offer = connection.currentLocalDescription!;
	assert.is(offer.type, 'offer');
	const [section] = sections(offer);
	assert.not.match(section!, /^m=audio 0 /);
	assert.equal(attributes(offer.sdp, 'setup'), ['actpass']);
	assert.is(attributes(offer.sdp, 'fingerprint').length, 1);
	assert.match(attributes(offer.sdp, 'fingerprint')[0]!, /^sha-256 /);
	assert.is(attributes(section!, 'ssrc').filter((value) => / cname:/.test(value)).length, 1);
});

test('where the server takes the client’s part, we take the server’s', async () => {
	// Of sending transports: receiving ones are always offered the choice, in which browsers take the client's part.
	const [sending, receiving] = await Promise.all([open({ serverRole: 'client' }), open()]);
	const producer = await sending.produce(await tone(550));
	const { client } = await receiving.consume(producer.id);
	await hears(client.track, 550);
	assert.equal(
		sending.dtls.map(({ role }) => role),
		['server'],
	);
	assert.is(sending.send.server.dtlsParameters.role, 'client');
});

const VIDEO_FEEDBACK = ['ccm fir', 'goog-remb', 'nack', 'nack pli', 'transport-cc'];

const EXTENSIONS = [
	'urn:ietf:params:rtp-hdrext:sdes:mid',
	'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
	'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
];

function feedback({ type, parameter }: types.RtcpFeedback): string {
	return parameter ? `${type} ${parameter}` : type;
}

async function open(options: StationOptions = {}): Promise<Station> {
	const station = await Station.open(sfu.router, options);
	stations.push(station);
	return station;
}

test.run();
