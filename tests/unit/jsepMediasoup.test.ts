/** mediasoup-client's Chrome111 handler, unmodified, with mediasoup's own RTP functions as the router. */

import {
	generateRouterRtpCapabilities,
	getConsumableRtpParameters,
	getConsumerRtpParameters,
	getProducerRtpParametersMapping,
} from 'mediasoup/ortc';
import { Device, type types } from 'mediasoup-client';
import { Chrome111 } from 'mediasoup-client/handlers/Chrome111';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { interpretSctp, parse } from '../../shim/jsep/index.ts';
import { Connection, Track } from './jsepConnection.ts';

Object.assign(globalThis, {
	RTCPeerConnection: Connection,
	MediaStream: class {
		readonly id = 'stream';
	},
});

const router = generateRouterRtpCapabilities([
	{ kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
	{ kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
	{
		kind: 'video',
		mimeType: 'video/H264',
		clockRate: 90000,
		parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
	},
]);

const candidate = {
	foundation: 'udpcandidate',
	priority: 1076302079,
	address: '127.0.0.1',
	ip: '127.0.0.1',
	port: 40001,
	type: 'host',
} as const;
const transportOptions = () => ({
	id: 'transport',
	iceParameters: { usernameFragment: 'serverfrag', password: 'server-password-of-32-characters', iceLite: true },
	iceCandidates: [
		{ ...candidate, protocol: 'udp' as const },
		{ ...candidate, protocol: 'tcp' as const, tcpType: 'passive' as const },
	],
	dtlsParameters: { role: 'auto' as const, fingerprints: [{ algorithm: 'sha-256' as const, value: '5E:75' }] },
	sctpParameters: {
		port: 5000,
		OS: 1024,
		MIS: 1024,
		maxMessageSize: 262144,
		maxReceiveMessageSize: 262144,
		maxSendMessageSize: 262144,
	},
});

interface Side {
	device: Device;
	transport: types.Transport;
	connection: Connection;
	/** What the server was told of our DTLS. */
	dtls: types.DtlsParameters[];
	produced: types.RtpParameters[];
}

async function connect(direction: 'send' | 'recv'): Promise<Side> {
	const device = new Device({ handlerFactory: Chrome111.createFactory({}) });
	await device.load({ routerRtpCapabilities: structuredClone(router) as types.RtpCapabilities });
	const transport =
		direction === 'send'
			? device.createSendTransport(transportOptions())
			: device.createRecvTransport(transportOptions());
	const side: Side = { device, transport, connection: Connection.all.at(-1)!, dtls: [], produced: [] };
	transport.on('connect', ({ dtlsParameters }, done) => {
		side.dtls.push(dtlsParameters);
		done();
	});
	transport.on('produce', ({ rtpParameters }, done) => {
		side.produced.push(rtpParameters);
		done({ id: `producer-${side.produced.length}` });
	});
	transport.on('producedata', (_, done) => done({ id: 'data' }));
	return side;
}

const produce = ({ transport }: Side, kind: 'audio' | 'video', options: object = {}) =>
	transport.produce({ track: new Track(kind) as unknown as MediaStreamTrack, ...options });

const lines = (sdp: string, mid: string) => sdp.split('m=').find((section) => section.includes(`a=mid:${mid}\r\n`))!;

test('the device finds opus, VP8, H264 and their rtx in an offer of ours', async () => {
	const { device } = await connect('send');
	assert.equal(
		device.sendRtpCapabilities.codecs!.map(({ mimeType }) => mimeType),
		['audio/opus', 'video/VP8', 'video/rtx', 'video/H264', 'video/rtx'],
	);
	assert.ok(device.sendRtpCapabilities.headerExtensions!.some(({ uri }) => uri.endsWith('sdes:mid')));
	assert.ok(device.recvRtpCapabilities.headerExtensions!.some(({ uri }) => uri.includes('transport-wide-cc')));
});

test('producers get SSRCs, rtx, cname and mid that agree with what is sent', async () => {
	const side = await connect('send');
	await produce(side, 'audio');
	await produce(side, 'video');
	assert.equal(side.dtls, [
		{ role: 'client', fingerprints: [{ algorithm: 'sha-256', value: side.dtls[0]!.fingerprints[0]!.value }] },
	]);
	for (const parameters of side.produced) {
		const { send, direction } = side.connection.media(parameters.mid!);
		assert.is(direction, 'sendonly');
		assert.is(parameters.rtcp!.cname, send.cname);
		assert.equal(
			parameters.encodings!.map(({ ssrc, rtx }) => [ssrc, rtx?.ssrc]),
			send.encodings.map(({ ssrc, rtxSsrc }) => [ssrc, rtxSsrc]),
		);
		assert.equal(
			parameters.codecs.map(({ payloadType }) => payloadType),
			send.codecs.map(({ payloadType }) => payloadType),
		);
		assert.equal(
			new Set(send.headerExtensions.map(({ uri, id }) => `${id} ${uri}`)),
			new Set(parameters.headerExtensions!.map(({ uri, id }) => `${id} ${uri}`)),
		);
		// The router takes them too.
		assert.ok(getProducerRtpParametersMapping(parameters as never, structuredClone(router)));
	}
	assert.is(side.connection.peer.transport('0').dtls!.role, 'client');
	assert.is(side.connection.peer.transport('0').remote!.iceLite, true);
	assert.is(side.connection.peer.transport('0').candidates.length, 2);
	assert.is(side.connection.peer.transport('0').endOfCandidates, true);
});

test('codec options of the server reach the codec that is sent', async () => {
	const side = await connect('send');
	await produce(side, 'audio', { codecOptions: { opusStereo: true, opusDtx: true } });
	const { parameters } = side.connection.media('0').send.codecs[0]!;
	assert.is(parameters.stereo, '1');
	assert.is(parameters.usedtx, '1');
	await produce(side, 'video', { codec: router.codecs!.find(({ mimeType }) => mimeType === 'video/H264') });
	assert.is(side.connection.media('1').send.codecs[0]!.mimeType, 'video/H264');
	assert.is(side.connection.media('1').send.codecs.length, 2);
});

test('a server that was made the client leaves us the server', async () => {
	const options = transportOptions();
	const { device } = await connect('send');
	const transport = device.createSendTransport({
		...options,
		dtlsParameters: { ...options.dtlsParameters, role: 'client' },
	});
	const connection = Connection.all.at(-1)!;
	const roles: (string | undefined)[] = [];
	transport.on('connect', ({ dtlsParameters }, done) => {
		roles.push(dtlsParameters.role);
		done();
	});
	transport.on('produce', (_, done) => done({ id: 'producer' }));
	await transport.produce({ track: new Track('audio') as unknown as MediaStreamTrack });
	assert.equal(roles, ['server']);
	assert.is(connection.peer.transport('0').dtls!.role, 'server');
});

test('simulcast is offered by rids, and of a layer that is switched off only the answer says that it is paused', async () => {
	const side = await connect('send');
	const producer = await produce(side, 'video', {
		encodings: [{ maxBitrate: 1e5 }, { maxBitrate: 3e5 }, { maxBitrate: 9e5 }],
	});
	const offer = lines(side.connection.localDescription.sdp, '0');
	assert.match(offer, 'a=rid:r0 send\r\na=rid:r1 send\r\na=rid:r2 send\r\na=simulcast:send r0;r1;r2\r\n');
	assert.not.match(offer, 'a=ssrc');
	assert.equal(
		side.connection.media('0').send.encodings.map(({ rid, active }) => [rid, active]),
		[
			['r0', true],
			['r1', true],
			['r2', true],
		],
	);
	await producer.setMaxSpatialLayer(1);
	assert.match(lines(side.connection.localDescription.sdp, '0'), 'a=simulcast:send r0;r1;r2\r\n');
	assert.equal(side.connection.media('0').sendRids, [
		{ rid: 'r0', paused: false },
		{ rid: 'r1', paused: false },
		{ rid: 'r2', paused: true },
	]);
	assert.equal(
		side.connection.media('0').send.encodings.map(({ active }) => active),
		[true, true, false],
	);
});

test('a closed producer leaves its section, and the next one of any kind takes it with a new mid', async () => {
	const side = await connect('send');
	await produce(side, 'audio');
	const video = await produce(side, 'video');
	await produce(side, 'audio');
	video.close();
	await produce(side, 'audio');
	const closing = parse(side.connection.log.filter(({ side }) => side === 'local').at(-2)!.sdp);
	assert.equal(closing.bundle, [['0', '2']]);
	assert.equal({ ...closing.sections[1]!, formats: [] }.rejected, true);
	assert.is(closing.sections[1]!.iceUfrag, undefined);
	const final = parse(side.connection.localDescription.sdp);
	assert.equal(
		final.sections.map(({ kind, mid, rejected }) => [kind, mid, rejected]),
		[
			['audio', '0', false],
			['audio', '3', false],
			['audio', '2', false],
		],
	);
	assert.is(side.produced.at(-1)!.mid, '3');
	assert.is(side.connection.media('3').direction, 'sendonly');
});

test('the first section is never closed: its transport stays', async () => {
	const side = await connect('send');
	const audio = await produce(side, 'audio');
	await produce(side, 'video');
	audio.close();
	await produce(side, 'video');
	const final = parse(side.connection.localDescription.sdp);
	assert.equal(
		final.sections.map(({ mid, direction, rejected }) => [mid, direction, rejected]),
		[
			['0', 'inactive', false],
			['1', 'sendonly', false],
			['2', 'sendonly', false],
		],
	);
	assert.is(new Set(final.sections.map(({ iceUfrag }) => iceUfrag)).size, 1);
	assert.is(side.connection.media('0').send.active, false);
});

test('pausing with zeroRtpOnPause turns the section off and on', async () => {
	const side = await connect('send');
	const producer = await produce(side, 'audio', { zeroRtpOnPause: true });
	producer.pause();
	await new Promise(setImmediate);
	assert.is(side.connection.media('0').direction, 'inactive');
	producer.resume();
	await new Promise(setImmediate);
	assert.is(side.connection.media('0').direction, 'sendonly');
});

test('data comes last, over the same transport', async () => {
	const side = await connect('send');
	await produce(side, 'audio');
	await side.transport.produceData();
	await produce(side, 'video');
	const { local, remote } = side.connection.peer.stable!;
	assert.equal(
		local.sections.map(({ kind }) => kind),
		['audio', 'application', 'video'],
	);
	assert.equal(new Set(side.connection.peer.owners().values()), new Set(['0']));
	assert.equal(interpretSctp(local.sections[1]!, remote.sections[1]!), {
		port: 5000,
		remotePort: 5000,
		maxMessageSize: 262144,
	});
});

test('an ICE restart changes our credentials and takes the new remote ones', async () => {
	for (const direction of ['send', 'recv'] as const) {
		const side = await connect(direction);
		if (direction === 'send') await produce(side, 'audio');
		else await consume(side, ['audio']);
		const [mid] = side.connection.peer.owners().keys();
		const before = side.connection.peer.transport(mid!);
		await side.transport.restartIce({
			iceParameters: { usernameFragment: 'restarted', password: 'another-password-of-32-character', iceLite: true },
		});
		const after = side.connection.peer.transport(mid!);
		assert.is.not(after.local.usernameFragment, before.local.usernameFragment, direction);
		assert.is(after.remote!.usernameFragment, 'restarted');
		assert.is(after.dtls!.role, before.dtls!.role);
		assert.is([...side.connection.peer.owners().keys()][0], mid);
	}
});

/** What a producer of each kind has, once and for all consumers. */
async function produceBoth(): Promise<Record<'audio' | 'video', types.RtpParameters>> {
	const side = await connect('send');
	await produce(side, 'audio', { codecOptions: { opusStereo: true } });
	await produce(side, 'video');
	return { audio: side.produced[0]!, video: side.produced[1]! };
}

let consumers = 0;
const producedOf = await produceBoth();

/** What the router gives a consumer of a producer of this kind. */
function consumerParameters(side: Side, kind: 'audio' | 'video'): types.RtpParameters {
	const sending = structuredClone(producedOf[kind]);
	const mapping = getProducerRtpParametersMapping(sending as never, structuredClone(router));
	const consumable = getConsumableRtpParameters(kind, sending as never, structuredClone(router), mapping);
	const parameters = getConsumerRtpParameters({
		consumableRtpParameters: consumable,
		remoteRtpCapabilities: structuredClone(side.device.recvRtpCapabilities) as never,
		pipe: false,
		enableRtx: true,
	}) as types.RtpParameters;
	return { ...parameters, mid: String(consumers++) };
}

const consume = (side: Side, kinds: ('audio' | 'video')[]) =>
	Promise.all(
		kinds.map((kind, i) =>
			side.transport.consume({
				id: `consumer-${consumers}-${i}`,
				producerId: 'producer',
				kind,
				rtpParameters: consumerParameters(side, kind),
			}),
		),
	);

test('consumers asked for together come in one offer, and each knows SSRC, rtx, stream and track', async () => {
	const side = await connect('recv');
	const made = await consume(side, ['audio', 'video', 'video']);
	// The second offer adds the probator, with which the server measures bandwidth.
	const offers = side.connection.log.filter(({ side }) => side === 'remote').map(({ sdp }) => parse(sdp));
	assert.equal(
		offers.map(({ sections }) => sections.length),
		[3, 4],
	);
	assert.is(side.connection.media('probator').receive.encodings[0]!.ssrc, 1234);
	for (const { rtpParameters, id, kind } of made) {
		const media = side.connection.media(rtpParameters.mid!);
		assert.is(media.direction, 'recvonly');
		assert.equal(
			media.receive.encodings.map(({ ssrc, rtxSsrc }) => [ssrc, rtxSsrc]),
			rtpParameters.encodings!.map(({ ssrc, rtx }) => [ssrc, rtx?.ssrc]),
		);
		assert.is(media.receive.encodings[0]!.rtxSsrc === undefined, kind === 'audio');
		assert.equal(
			media.receive.codecs.map(({ payloadType }) => payloadType),
			rtpParameters.codecs.map(({ payloadType }) => payloadType),
		);
		assert.is(media.remoteMsids[0]!.track, id);
		assert.ok(media.receive.headerExtensions.some(({ uri }) => uri.endsWith('sdes:mid')));
	}
	assert.equal(
		side.dtls.map(({ role }) => role),
		['client'],
	);
	assert.is(side.connection.peer.transport(made[0]!.rtpParameters.mid!).dtls!.role, 'client');
});

test('the handler edits opus of our answer to stereo, which we accept and receive', async () => {
	const side = await connect('recv');
	const [consumer] = await consume(side, ['audio']);
	assert.match(lines(side.connection.localDescription.sdp, consumer!.rtpParameters.mid!), /a=fmtp:\d+ .*stereo=1/);
	assert.is(side.connection.media(consumer!.rtpParameters.mid!).receive.codecs[0]!.parameters.stereo, '1');
});

test('a closed consumer leaves its section to one of its kind', async () => {
	const side = await connect('recv');
	const outline = () =>
		parse(side.connection.localDescription.sdp).sections.map(({ kind, mid, rejected }) => [kind, mid, rejected]);
	const made = await consume(side, ['audio', 'video', 'audio']);
	const mids = made.map(({ rtpParameters }) => rtpParameters.mid);
	made[1]!.close();
	const [audio] = await consume(side, ['audio']);
	const kept = [
		['audio', mids[2], false],
		['video', 'probator', false],
		['audio', audio!.rtpParameters.mid, false],
	];
	assert.equal(outline(), [['audio', mids[0], false], ['video', mids[1], true], ...kept]);
	const [video] = await consume(side, ['video']);
	assert.equal(outline(), [['audio', mids[0], false], ['video', video!.rtpParameters.mid, false], ...kept]);
	const { sections, bundle } = parse(side.connection.localDescription.sdp);
	assert.is(new Set(sections.map(({ iceUfrag }) => iceUfrag)).size, 1);
	assert.equal([bundle.length, bundle[0]!.length, bundle[0]![0]], [1, 5, mids[0]]);
});

test('data alone is answered under the mid that the server gives it', async () => {
	const side = await connect('recv');
	await side.transport.consumeData({
		id: 'data',
		dataProducerId: 'producer',
		sctpStreamParameters: { streamId: 0, ordered: true },
	});
	await consume(side, ['video']);
	const { local, remote } = side.connection.peer.stable!;
	assert.is(local.sections[0]!.mid, 'datachannel');
	assert.is(interpretSctp(local.sections[0]!, remote.sections[0]!).maxMessageSize, 262144);
	assert.is(local.sections[1]!.rejected, false);
	assert.equal(new Set(side.connection.peer.owners().values()), new Set(['datachannel']));
});

test.run();
