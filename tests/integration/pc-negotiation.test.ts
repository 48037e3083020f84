import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RTCPeerConnection } from '../../shim/api/index.ts';
import {
	connected,
	failure,
	gathered,
	makeChannels,
	makePair,
	negotiate,
	next,
	opened,
	record,
	shim,
	until,
} from './pcPair.ts';

const mids = (connection: RTCPeerConnection) => connection.getTransceivers().map(({ mid }) => mid);
const ufrag = (description: { sdp: string } | null) => /a=ice-ufrag:(\S+)/.exec(description!.sdp)![1];

for (const answer of ['active', 'passive'] as const) {
	for (const lite of [false, true]) {
		const ice = lite ? 'the answerer' : 'the offerer';
		test(`an answer that is ${answer} connects while ${ice} is controlling, with the DTLS role it says`, async () => {
			const pair = makePair();
			const channel = pair.offerer.createDataChannel('x');
			// A side that hears that the other is ice-lite controls, whoever offered.
			await negotiateAs(pair.offerer, pair.answerer, answer, lite);
			await opened(channel);
			const role = (connection: RTCPeerConnection) => connection.sctp!.transport.iceTransport.role;
			assert.is(role(pair.answerer), lite ? 'controlling' : 'controlled');
			const stats = [...(await pair.answerer.getStats()).values()].find(({ type }) => type === 'transport');
			assert.is(stats?.dtlsRole, answer === 'active' ? 'client' : 'server');
			pair.close();
		});
	}
}

async function negotiateAs(
	offerer: RTCPeerConnection,
	answerer: RTCPeerConnection,
	setup: 'active' | 'passive',
	lite: boolean,
): Promise<void> {
	await offerer.setLocalDescription();
	const offer = offerer.localDescription!.sdp;
	await answerer.setRemoteDescription({ type: 'offer', sdp: lite ? offer.replace('m=', 'a=ice-lite\r\nm=') : offer });
	const { sdp } = await answerer.createAnswer();
	await answerer.setLocalDescription({ type: 'answer', sdp: sdp!.replace(/a=setup:\w+/g, `a=setup:${setup}`) });
	await offerer.setRemoteDescription(answerer.localDescription!);
}

test('an offer that says active or passive is answered by the other role', async () => {
	for (const [offered, role] of [
		['active', 'server'],
		['passive', 'client'],
	] as const) {
		const pair = makePair();
		const channel = pair.offerer.createDataChannel('x');
		await negotiate(pair, {
			edit: (sdp, type) => (type === 'offer' ? sdp.replace('a=setup:actpass', `a=setup:${offered}`) : sdp),
		});
		await opened(channel);
		const stats = [...(await pair.answerer.getStats()).values()].find(({ type }) => type === 'transport');
		assert.is(stats?.dtlsRole, role);
		pair.close();
	}
});

test('without trickling, the descriptions hold the candidates and end-of-candidates', async () => {
	const pair = makePair({ trickle: false });
	const channel = pair.offerer.createDataChannel('x');
	await negotiate(pair, { trickle: false });
	for (const { localDescription } of [pair.offerer, pair.answerer]) {
		assert.match(localDescription!.sdp, /a=candidate:/);
		assert.match(localDescription!.sdp, /a=end-of-candidates/);
	}
	await opened(channel);
	pair.close();
});

test('the candidates come with mid, index and ufrag, then an empty one, then null', async () => {
	const connection = new shim.RTCPeerConnection();
	connection.createDataChannel('x');
	const seen: (RTCIceCandidate | null)[] = [];
	connection.onicecandidate = ({ candidate }) => seen.push(candidate);
	await connection.setLocalDescription();
	assert.equal(seen, [], 'none before setLocalDescription() has resolved');
	await gathered(connection);
	await until('null', () => seen.at(-1) === null);
	const [first] = seen;
	assert.equal(
		[first?.sdpMid, first?.sdpMLineIndex, first?.usernameFragment, first?.type, first?.component],
		['0', 0, ufrag(connection.localDescription), 'host', 'rtp'],
	);
	assert.ok(first!.port! > 0);
	assert.equal(
		seen.slice(-2).map((candidate) => candidate?.candidate),
		['', undefined],
	);
	assert.is(connection.iceConnectionState, 'new');
	connection.close();
});

test('the events of setting a description come before its promise resolves', async () => {
	const pair = makePair();
	pair.offerer.addTransceiver('audio');
	const events = record(pair.answerer, 'signalingstatechange', 'track');
	await pair.offerer.setLocalDescription();
	const set = pair.answerer.setRemoteDescription(pair.offerer.localDescription!);
	assert.is(pair.answerer.signalingState, 'stable');
	await set;
	assert.equal(events, ['signalingstatechange', 'track']);
	assert.is(pair.answerer.signalingState, 'have-remote-offer');
	pair.close();
});

test('a second negotiation adds a section to the transport that there is; a third stops it, a fourth reuses it', async () => {
	const pair = await makeChannels();
	const { offerer, answerer, ours } = pair;
	const video = offerer.addTransceiver('video');
	await negotiate(pair);
	assert.equal([mids(offerer), mids(answerer)], [['1'], ['1']]);
	assert.is(video.sender.transport, offerer.sctp!.transport);
	assert.is(video.currentDirection, 'sendonly');
	video.stop();
	assert.is(video.direction, 'stopped');
	await negotiate(pair);
	assert.is(video.currentDirection, 'stopped');
	assert.equal([mids(offerer), mids(answerer)], [[], []]);
	offerer.addTransceiver('audio');
	await negotiate(pair);
	assert.equal(mids(offerer), ['2']);
	assert.is(offerer.localDescription!.sdp.match(/^m=/gm)?.length, 2);
	assert.is(ours.readyState, 'open');
	pair.close();
});

test('an ICE restart changes the credentials and keeps the channel', async () => {
	const pair = await makeChannels();
	const { offerer, answerer, ours, theirs } = pair;
	const [before, theirBefore] = [ufrag(offerer.localDescription), ufrag(answerer.localDescription)];
	const needed = next(offerer, 'negotiationneeded');
	offerer.restartIce();
	await needed;
	await negotiate(pair);
	assert.is.not(ufrag(offerer.localDescription), before);
	assert.is.not(ufrag(answerer.localDescription), theirBefore);
	const transport = offerer.sctp!.transport.iceTransport;
	await until(
		'the pair is of the new credentials',
		() => transport.getSelectedCandidatePair()?.local.usernameFragment === ufrag(offerer.localDescription),
	);
	const incoming = next<MessageEvent>(theirs, 'message');
	ours.send('still here');
	assert.is((await incoming).data, 'still here');
	assert.equal([offerer.connectionState, answerer.connectionState], ['connected', 'connected']);
	pair.close();
});

test('a restart that is rolled back goes on with the old credentials', async () => {
	const pair = await makeChannels();
	const { offerer, ours, theirs } = pair;
	const before = ufrag(offerer.localDescription);
	await offerer.setLocalDescription(await offerer.createOffer({ iceRestart: true }));
	assert.is.not(ufrag(offerer.localDescription), before);
	await offerer.setLocalDescription({ type: 'rollback' });
	assert.is(ufrag(offerer.localDescription), before);
	assert.is(offerer.sctp!.transport.iceTransport.getLocalParameters()?.usernameFragment, before);
	await negotiate(pair);
	const incoming = next<MessageEvent>(theirs, 'message');
	ours.send('as before');
	assert.is((await incoming).data, 'as before');
	pair.close();
});

test('rollback forgets mids and what the offer brought; the same offer can be made again', async () => {
	const pair = makePair();
	const { offerer, answerer } = pair;
	const audio = offerer.addTransceiver('audio');
	await offerer.setLocalDescription();
	assert.is(audio.mid, '0');
	await answerer.setRemoteDescription(offerer.localDescription!);
	const [received] = answerer.getTransceivers();
	await answerer.setRemoteDescription({ type: 'rollback', sdp: '' });
	assert.equal([answerer.signalingState, answerer.getTransceivers().length], ['stable', 0]);
	assert.is(received!.currentDirection, 'stopped');
	assert.is(answerer.remoteDescription, null);
	await offerer.setLocalDescription({ type: 'rollback' });
	assert.equal([offerer.signalingState, audio.mid, audio.sender.transport], ['stable', null, null]);
	assert.is(await failure(() => offerer.setLocalDescription({ type: 'rollback' })), 'InvalidStateError');
	await negotiate(pair);
	await connected(offerer, answerer);
	pair.close();
});

test('when two offers meet, the polite side takes the other and both ends get what they wanted', async () => {
	const pair = makePair();
	const polite = perfect(pair.offerer, true);
	const impolite = perfect(pair.answerer, false);
	polite.send = impolite.receive;
	impolite.send = polite.receive;
	pair.offerer.addTransceiver('audio');
	pair.answerer.createDataChannel('x');
	await until('both are connected with both sections', () =>
		[pair.offerer, pair.answerer].every(
			({ connectionState, signalingState, currentLocalDescription }) =>
				connectionState === 'connected' &&
				signalingState === 'stable' &&
				currentLocalDescription?.sdp.match(/^m=/gm)?.length === 2,
		),
	);
	pair.close();
});

/** @see https://www.w3.org/TR/webrtc/#perfect-negotiation-example */
function perfect(connection: RTCPeerConnection, polite: boolean) {
	let making = false;
	const side = {
		send: async (_: RTCSessionDescription): Promise<void> => {},
		receive: async (description: RTCSessionDescription): Promise<void> => {
			const collision = description.type === 'offer' && (making || connection.signalingState !== 'stable');
			if (collision && !polite) return;
			await connection.setRemoteDescription(description);
			if (description.type !== 'offer') return;
			await connection.setLocalDescription();
			await side.send(connection.localDescription!);
		},
	};
	connection.onnegotiationneeded = async () => {
		making = true;
		await connection.setLocalDescription();
		making = false;
		await side.send(connection.localDescription!);
	};
	return side;
}

test('negotiationneeded fires once for changes made together, and not while an operation runs', async () => {
	const pair = makePair();
	const events = record(pair.offerer, 'negotiationneeded');
	pair.offerer.addTransceiver('audio');
	pair.offerer.createDataChannel('x');
	pair.offerer.addTransceiver('video');
	assert.equal(events, []);
	await next(pair.offerer, 'negotiationneeded');
	await negotiate(pair);
	await connected(pair.offerer);
	assert.equal(events, ['negotiationneeded']);
	pair.offerer.getTransceivers()[0]!.direction = 'inactive';
	await next(pair.offerer, 'negotiationneeded');
	pair.close();
});

test('a description that is no SDP rejects with the line; the connection goes on', async () => {
	const pair = makePair();
	const channel = pair.offerer.createDataChannel('x');
	const { sdp } = await pair.offerer.createOffer();
	const broken = sdp!.split('\r\n').toSpliced(3, 0, 'nonsense').join('\r\n');
	try {
		await pair.answerer.setRemoteDescription({ type: 'offer', sdp: broken });
		assert.unreachable();
	} catch (error) {
		assert.instance(error, shim.RTCError);
		assert.is((error as RTCError).errorDetail, 'sdp-syntax-error');
		assert.is((error as RTCError).sdpLineNumber, 4);
	}
	assert.is(pair.answerer.signalingState, 'stable');
	await negotiate(pair);
	await opened(channel);
	pair.close();
});

test('an offer rolls ours back before it is read, so that text that is none costs us our offer alone', async () => {
	const pair = makePair();
	const channel = pair.offerer.createDataChannel('x');
	await pair.offerer.setLocalDescription();
	assert.is(
		await failure(() => pair.offerer.setRemoteDescription({ type: 'offer', sdp: 'v=0\r\nx' })),
		'OperationError',
	);
	assert.is(pair.offerer.signalingState, 'stable');
	await negotiate(pair);
	await opened(channel);
	pair.close();
});

test('wrong states and types get the errors of the specification', async () => {
	const connection = new shim.RTCPeerConnection();
	const { sdp } = await connection.createOffer();
	const call = (name: string, ...args: unknown[]) =>
		failure(() => Reflect.apply(Reflect.get(connection, name), connection, args));
	assert.is(await call('createAnswer'), 'InvalidStateError');
	assert.is(await call('setLocalDescription', { type: 'answer', sdp }), 'InvalidStateError');
	assert.is(await call('setRemoteDescription', { type: 'answer', sdp }), 'InvalidStateError');
	assert.is(await call('setRemoteDescription', { type: 'question', sdp }), 'TypeError');
	assert.is(await call('setRemoteDescription'), 'TypeError');
	assert.is(
		await call('setLocalDescription', { type: 'offer', sdp: `${sdp}a=x\r\nm=audio 9 RTP/AVP 0\r\n` }),
		'InvalidModificationError',
	);
	assert.is(await call('addIceCandidate', { candidate: 'candidate:x' }), 'TypeError');
	assert.is(await call('addIceCandidate', { candidate: '', sdpMid: '0' }), 'InvalidStateError');
	assert.is(await call('addTrack', {}), 'TypeError');
	assert.is(await call('addTransceiver', 'text'), 'TypeError');
	assert.is(await call('addTransceiver', 'video', { sendEncodings: [{ rid: 'a' }, { rid: 'a' }] }), 'TypeError');
	assert.is(await call('addTransceiver', 'video', { sendEncodings: [{ scaleResolutionDownBy: 0.5 }] }), 'RangeError');
	assert.is(await call('setConfiguration', { bundlePolicy: 'max-bundle' }), 'InvalidModificationError');
	assert.is(await call('getStats', {}), 'TypeError');
	connection.close();
	connection.close();
	assert.is(await call('createOffer'), 'InvalidStateError');
	assert.is(await call('addTransceiver', 'audio'), 'InvalidStateError');
	assert.is(await call('setConfiguration', {}), 'InvalidStateError');
	assert.equal(
		[connection.signalingState, connection.connectionState, connection.iceConnectionState],
		['closed', 'closed', 'closed'],
	);
});

test('configurations that are none', async () => {
	const make = (configuration: object) => failure(() => new shim.RTCPeerConnection(configuration).close());
	const server = (urls: unknown, rest = {}) => make({ iceServers: [{ urls, ...rest }] });
	assert.is(await server('stun:stun.example.org:3478'), 'nothing');
	assert.is(await server('turn:turn.example.org?transport=tcp', { username: 'u', credential: 'c' }), 'nothing');
	assert.is(await server('turn:turn.example.org'), 'InvalidAccessError');
	assert.is(await server('http://example.org'), 'SyntaxError');
	assert.is(await server('stun:example.org?transport=udp'), 'SyntaxError');
	assert.is(await server('stun:user@example.org'), 'SyntaxError');
	assert.is(await server('stun:'), 'SyntaxError');
	assert.is(await server([]), 'SyntaxError');
	assert.is(await server(undefined), 'TypeError');
	assert.is(await make({ iceTransportPolicy: 'public' }), 'TypeError');
	assert.is(await make({ iceCandidatePoolSize: 256 }), 'TypeError');
	assert.is(await make({ rtcpMuxPolicy: 'negotiate' }), 'NotSupportedError');
	assert.is(await make({ rtcpMuxPolicy: 'never' }), 'TypeError');
});

test('a certificate that was made before is the one that the peer sees', async () => {
	const certificate = await shim.RTCPeerConnection.generateCertificate({
		name: 'ECDSA',
		namedCurve: 'P-256',
	} as EcKeyGenParams);
	const pair = makePair({ configuration: { certificates: [certificate] as never } });
	const channel = pair.offerer.createDataChannel('x');
	const [{ algorithm, value }] = certificate.getFingerprints() as [{ algorithm: string; value: string }];
	assert.is(algorithm, 'sha-256');
	await negotiate(pair);
	await opened(channel);
	assert.ok(pair.offerer.localDescription!.sdp.toLowerCase().includes(value!.toLowerCase()));
	const [der] = pair.answerer.sctp!.transport.getRemoteCertificates();
	const digest = Buffer.from(await crypto.subtle.digest('SHA-256', der!)).toString('hex');
	assert.is(digest, value!.replaceAll(':', '').toLowerCase());
	assert.is(await failure(() => shim.RTCPeerConnection.generateCertificate('RSA-OAEP')), 'NotSupportedError');
	pair.close();
});

test('the callbacks of older code are called', async () => {
	const connection = new shim.RTCPeerConnection();
	connection.createDataChannel('x');
	const offer = await new Promise<RTCSessionDescriptionInit>((resolve, reject) => {
		void connection.createOffer(resolve, reject);
	});
	await new Promise<void>((resolve, reject) => void connection.setLocalDescription(offer, resolve, reject));
	assert.is(connection.signalingState, 'have-local-offer');
	const error = await new Promise<DOMException>((resolve) => {
		void connection.createAnswer(() => assert.unreachable(), resolve);
	});
	assert.is(error.name, 'InvalidStateError');
	connection.close();
});

test('candidates that fit nowhere are refused, and those of a kind we cannot use are not', async () => {
	const pair = makePair();
	pair.offerer.createDataChannel('x');
	await pair.offerer.setLocalDescription();
	await pair.answerer.setRemoteDescription(pair.offerer.localDescription!);
	const add = (candidate: RTCIceCandidateInit) => failure(() => pair.answerer.addIceCandidate(candidate));
	const tcp = 'candidate:1 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active';
	assert.is(await add({ candidate: tcp, sdpMid: '0' }), 'nothing');
	assert.is(await add({ candidate: tcp, sdpMid: '7' }), 'OperationError');
	assert.is(await add({ candidate: tcp, sdpMLineIndex: 3 }), 'OperationError');
	assert.is(await add({ candidate: tcp, sdpMid: '0', usernameFragment: 'other' }), 'OperationError');
	assert.is(await add({ candidate: 'candidate:garbage', sdpMid: '0' }), 'OperationError');
	assert.match(pair.answerer.remoteDescription!.sdp, /tcptype active/);
	pair.close();
});

test.after(() => shim.close());

test('one track in several transceivers is offered so that a peer takes it', async () => {
	const pair = makePair();
	const stream = await shim.mediaDevices.getUserMedia({ audio: true });
	const [track] = stream.getTracks();
	for (let n = 0; n < 3; n++) pair.offerer.addTransceiver(track!, { streams: [stream] });
	await negotiate(pair);
	const ids = pair.answerer.getReceivers().map((receiver) => receiver.track.id);
	assert.is(new Set(ids).size, 3);
	assert.is([...pair.offerer.localDescription!.sdp.matchAll(new RegExp(`a=msid:\\S+ ${track!.id}`, 'g'))].length, 1);
	track!.stop();
	pair.close();
});

test.run();
