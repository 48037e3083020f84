import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RTCPeerConnection } from '../../../shim/api/index.ts';
import { bindContext } from '../../../shim/rpc/context.ts';
import { nextTask } from '../../../shim/webidl/task.ts';
import { FakeSession } from './fakeSession.ts';

const CANDIDATE = 'candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host';

function connect(fake: FakeSession): RTCPeerConnection {
	const Bound = bindContext(RTCPeerConnection, { session: () => fake.session });
	return new Bound();
}

/** Two connections with fakes for workers, after an offer and its answer. */
async function negotiated(prepare: (offerer: RTCPeerConnection) => void) {
	const [ours, theirs] = [new FakeSession(), new FakeSession()];
	const [offerer, answerer] = [connect(ours), connect(theirs)];
	prepare(offerer);
	const exchange = async (): Promise<void> => {
		await offerer.setLocalDescription();
		await answerer.setRemoteDescription(offerer.localDescription!);
		await answerer.setLocalDescription();
		await offerer.setRemoteDescription(answerer.localDescription!);
	};
	await exchange();
	return { ours, theirs, offerer, answerer, exchange };
}

const withChannel = (connection: RTCPeerConnection): void => void connection.createDataChannel('x');
const withVideo = (connection: RTCPeerConnection): void => void connection.addTransceiver('video');

function record(log: string[], target: EventTarget, name: string, ...types: string[]): void {
	for (const type of types) target.addEventListener(type, () => log.push(`${name} ${type}`));
}

async function settled(promise: Promise<unknown>): Promise<boolean> {
	for (let turn = 0; turn < 5; turn += 1) await nextTask();
	return Promise.race([promise.then(() => true), nextTask().then(() => false)]);
}

test('createOffer() waits for the certificate, and for nothing else', async () => {
	const fake = new FakeSession({ certifies: false });
	const connection = connect(fake);
	connection.createDataChannel('x');
	const offer = connection.createOffer();
	assert.not(await settled(offer));
	await fake.certify(fake.of('Certificate')[0]!);
	assert.match((await offer).sdp!, /a=fingerprint:sha-256 AB:AB/);
	connection.close();
});

test('descriptions are set though the worker never says a word', async () => {
	const { offerer, answerer, ours } = await negotiated(withChannel);
	assert.equal([offerer.signalingState, answerer.signalingState], ['stable', 'stable']);
	assert.equal(
		ours.remotes.map(({ type }) => type),
		['Certificate', 'IceTransport', 'DtlsTransport', 'SctpTransport', 'DataChannel'],
	);
	assert.equal(ours.of('IceTransport')[0]!.called, ['gather', 'start']);
	assert.equal(ours.of('DtlsTransport')[0]!.called, ['start']);
});

test('operations run one after another, and none that is chained ends once the connection is closed', async () => {
	const connection = connect(new FakeSession());
	const order: string[] = [];
	const first = connection.createOffer().then(() => order.push('first'));
	const second = connection.setLocalDescription().then(() => order.push('second'));
	const third = connection.createAnswer().catch(({ name }) => order.push(name));
	await Promise.all([first, second, third]);
	assert.equal(order, ['first', 'second', 'InvalidStateError']);
	const last = connection.createOffer();
	connection.close();
	assert.not(await settled(last.catch(() => {})));
});

test('a selected pair and the states that it makes true come in one task, in the order of the specification', async () => {
	const { offerer, ours } = await negotiated(withChannel);
	const ice = offerer.sctp!.transport.iceTransport;
	const log: string[] = [];
	record(log, ice, 'ice', 'selectedcandidatepairchange', 'statechange');
	record(log, offerer, 'connection', 'connectionstatechange', 'iceconnectionstatechange');
	const [handle] = ours.of('IceTransport');
	await handle!.emit('statechange', { state: 'connected', selectedPair: { local: CANDIDATE, remote: CANDIDATE } });
	assert.equal(log, [
		'ice selectedcandidatepairchange',
		'ice statechange',
		'connection iceconnectionstatechange',
		'connection connectionstatechange',
	]);
	assert.equal(
		[ice.state, offerer.iceConnectionState, offerer.connectionState],
		['connected', 'connected', 'connecting'],
	);
	assert.is(ice.getSelectedCandidatePair()?.local.address, '192.0.2.1');
	await ours.of('DtlsTransport')[0]!.emit('statechange', { state: 'connected', remoteCertificates: ['AQID'] });
	assert.is(offerer.connectionState, 'connected');
	assert.equal([...new Uint8Array(offerer.sctp!.transport.getRemoteCertificates()[0]!)], [1, 2, 3]);
});

test('a candidate is in the description when its event fires; the end says so three times', async () => {
	const { offerer, ours } = await negotiated(withChannel);
	const [handle] = ours.of('IceTransport');
	const usernameFragment = String(handle!.params.usernameFragment);
	const log: string[] = [];
	offerer.onicecandidate = ({ candidate }) => {
		const has = (text: string) => offerer.localDescription!.sdp.includes(text);
		log.push(`${candidate?.candidate ?? 'null'} ${has(CANDIDATE)} ${has('a=end-of-candidates')}`);
	};
	offerer.onicegatheringstatechange = () => log.push(offerer.iceGatheringState);
	await handle!.emit('gatheringstatechange', { state: 'gathering' });
	await handle!.emit('candidate', { candidate: CANDIDATE, usernameFragment });
	await handle!.emit('gatheringstatechange', { state: 'complete' });
	await nextTask();
	assert.equal(log, ['gathering', `${CANDIDATE} true false`, ' true true', 'complete', 'null true true']);
	await handle!.emit('candidate', { candidate: CANDIDATE, usernameFragment: 'of a generation that was rolled back' });
	assert.is(log.length, 5);
});

test("a fingerprint that is not the description's: error, then the states", async () => {
	const { offerer, ours } = await negotiated(withChannel);
	const dtls = offerer.sctp!.transport;
	const log: string[] = [];
	record(log, dtls, 'dtls', 'error', 'statechange');
	record(log, offerer, 'connection', 'connectionstatechange');
	let detail = '';
	dtls.onerror = ({ error }) => {
		detail = error.errorDetail;
	};
	const error = { errorDetail: 'fingerprint-failure', message: 'another certificate' };
	await ours.of('DtlsTransport')[0]!.emit('statechange', { state: 'failed', error });
	assert.equal(log, ['dtls error', 'dtls statechange', 'connection connectionstatechange']);
	assert.equal([detail, offerer.connectionState], ['fingerprint-failure', 'failed']);
});

test('what a worker refuses to make is the failure of that object', async () => {
	const { offerer, ours, answerer, theirs } = await negotiated((connection) => {
		withChannel(connection);
		withVideo(connection);
	});
	const refusal = { name: 'OperationError', message: 'a session has at most 1 objects' };
	const channel = offerer.createDataChannel('y');
	const log: string[] = [];
	record(log, channel, 'channel', 'error', 'close');
	await ours.of('DataChannel')[1]!.emit('error', refusal);
	assert.equal(log, ['channel error', 'channel close']);
	const { track } = answerer.getReceivers()[0]!;
	await theirs.of('RtpReceiver')[0]!.emit('error', refusal);
	assert.is(track.readyState, 'ended');
	assert.equal([offerer.connectionState, answerer.connectionState], ['new', 'new']);
	await theirs.of('IceTransport')[0]!.emit('error', refusal);
	assert.equal([answerer.connectionState, answerer.iceConnectionState], ['failed', 'failed']);
	await ours.of('DtlsTransport')[0]!.emit('error', refusal);
	assert.is(offerer.getReceivers()[0]!.track.readyState, 'ended');
});

test('a lost session fails the connection once, ends its tracks and closes its channels with an error', async () => {
	const { offerer, ours } = await negotiated((connection) => {
		withVideo(connection);
		withChannel(connection);
	});
	const log: string[] = [];
	record(log, offerer, 'connection', 'connectionstatechange', 'iceconnectionstatechange');
	record(log, offerer.getReceivers()[0]!.track, 'track', 'ended');
	record(log, offerer.sctp!, 'sctp', 'statechange');
	await ours.lose();
	assert.equal(log.toSorted(), [
		'connection connectionstatechange',
		'connection iceconnectionstatechange',
		'sctp statechange',
		'track ended',
	]);
	assert.is(offerer.connectionState, 'failed');
	assert.is(ours.holds, 0);
});

test('a session that is lost before there is anything fails the connection and the offer', async () => {
	const fake = new FakeSession({ certifies: false });
	const connection = connect(fake);
	const offer = connection.createOffer().catch(({ message }) => message);
	await fake.lose();
	assert.is(await offer, 'the session was lost');
	assert.is(connection.connectionState, 'failed');
	connection.close();
});

test('close() drops every object and lets the process go', async () => {
	const { offerer, ours } = await negotiated((connection) => {
		withVideo(connection);
		withChannel(connection);
	});
	assert.is(ours.holds, 1);
	offerer.close();
	assert.equal(
		ours.remotes.filter(({ isDropped }) => !isDropped).map(({ type }) => type),
		[],
	);
	assert.is(ours.holds, 0);
});

test('close() drops an association that the peer had ended before, and announces its end once', async () => {
	const { offerer, ours } = await negotiated(withChannel);
	const [handle] = ours.of('SctpTransport');
	const log: string[] = [];
	record(log, offerer.sctp!, 'sctp', 'statechange');
	await handle!.emit('statechange', { state: 'closed' });
	offerer.close();
	await nextTask();
	assert.is(handle!.isDropped, true);
	assert.equal(log, ['sctp statechange']);
});

test('a transceiver that is stopped before any offer has it goes with the next negotiation, which is the last', async () => {
	const { offerer, answerer, exchange } = await negotiated(withChannel);
	const log: string[] = [];
	record(log, offerer, 'connection', 'negotiationneeded');
	const transceiver = offerer.addTransceiver('audio');
	transceiver.stop();
	assert.is(transceiver.currentDirection, null);
	await nextTask();
	await exchange();
	for (let turn = 0; turn < 5; turn += 1) await nextTask();
	assert.is(transceiver.currentDirection, 'stopped');
	assert.equal([offerer.getTransceivers(), answerer.getTransceivers()], [[], []]);
	assert.equal(log, ['connection negotiationneeded']);
});

test('an answer to a peer that only sends leaves nothing to negotiate to who wants to send, too', async () => {
	const { offerer, answerer, exchange } = await negotiated(withVideo);
	const log: string[] = [];
	offerer.getTransceivers()[0]!.direction = 'sendonly';
	answerer.getTransceivers()[0]!.direction = 'sendonly';
	await exchange();
	record(log, answerer, 'answerer', 'negotiationneeded');
	record(log, offerer, 'offerer', 'negotiationneeded');
	await exchange();
	for (let turn = 0; turn < 5; turn += 1) await nextTask();
	assert.is(answerer.getTransceivers()[0]!.currentDirection, 'inactive');
	assert.equal(log, []);
});

test('a track without a stream is announced again when it is received after an answer that received nothing', async () => {
	const [offerer, answerer] = [connect(new FakeSession()), connect(new FakeSession())];
	const log: string[] = [];
	record(log, answerer, 'answerer', 'track');
	offerer.addTransceiver('audio', { direction: 'sendonly' });
	for (const direction of ['inactive', 'recvonly', 'recvonly'] as const) {
		await offerer.setLocalDescription();
		await answerer.setRemoteDescription(offerer.localDescription!);
		answerer.getTransceivers()[0]!.direction = direction;
		await answerer.setLocalDescription();
		await offerer.setRemoteDescription(answerer.localDescription!);
	}
	assert.equal(log, ['answerer track', 'answerer track']);
	offerer.close();
	answerer.close();
});

test('layers that the answer does not take are gone for good, also for the worker', async () => {
	const ours = new FakeSession();
	const [offerer, answerer] = [connect(ours), connect(new FakeSession())];
	const sendEncodings = ['a', 'b', 'c'].map((rid) => ({ rid }));
	const { sender } = offerer.addTransceiver('video', { sendEncodings });
	const exchange = async (edit: (sdp: string) => string): Promise<void> => {
		await offerer.setLocalDescription();
		await answerer.setRemoteDescription(offerer.localDescription!);
		await answerer.setLocalDescription();
		await offerer.setRemoteDescription({ type: 'answer', sdp: edit(answerer.localDescription!.sdp) });
	};
	const rids = () => sender.getParameters().encodings.map(({ rid }) => rid);
	await exchange((sdp) => sdp.replace('a=rid:b recv\r\n', '').replace('recv a;b;c', 'recv a;c'));
	assert.equal(rids(), ['a', 'c']);
	const told = ours.of('RtpSender')[0]!.calls.at(-1)![1].encodings as { rid: string }[];
	assert.equal(
		told.map(({ rid }) => rid),
		['a', 'c'],
	);
	await exchange((sdp) => sdp);
	assert.equal(rids(), ['a', 'c']);
	offerer.close();
	answerer.close();
});

test('the transport of the last section goes when that is closed, at the offerer too', async () => {
	const { offerer, answerer, ours, theirs, exchange } = await negotiated(withVideo);
	offerer.getTransceivers()[0]!.stop();
	await exchange();
	for (const fake of [ours, theirs]) {
		const transports = [...fake.of('IceTransport'), ...fake.of('DtlsTransport')];
		assert.equal(
			transports.map(({ isDropped }) => isDropped),
			[true, true],
		);
	}
	offerer.close();
	answerer.close();
});

test('a sender is told what changed, and nothing when nothing did', async () => {
	const { offerer, ours, exchange } = await negotiated(withVideo);
	const [handle] = ours.of('RtpSender');
	assert.equal(handle!.called, ['send']);
	const [, first] = handle!.calls[0]!;
	assert.equal([first.active, first.mid, first.transport], [true, '0', ours.of('DtlsTransport')[0]!.id]);
	await exchange();
	assert.equal(handle!.called, ['send']);
	const [sender] = offerer.getSenders();
	const parameters = sender!.getParameters();
	parameters.encodings[0]!.maxBitrate = 90_000;
	await sender!.setParameters(parameters);
	const [encoding] = handle!.calls[1]![1].encodings as { maxBitrate: number }[];
	assert.is(encoding!.maxBitrate, 90_000);
	offerer.getTransceivers()[0]!.direction = 'inactive';
	await exchange();
	assert.is(handle!.calls[2]![1].active, false);
});

test('what the worker refuses to send rejects setParameters()', async () => {
	const { offerer, ours } = await negotiated(withVideo);
	ours.of('RtpSender')[0]!.refused.set('send', new DOMException('no such layer', 'OperationError'));
	const [sender] = offerer.getSenders();
	const parameters = sender!.getParameters();
	parameters.encodings[0]!.maxFramerate = 5;
	const error = await sender!.setParameters(parameters).catch(({ name }) => name);
	assert.is(error, 'OperationError');
});

test('what changes while an offer is under way fires negotiationneeded when it is answered', async () => {
	const [offerer, answerer] = [connect(new FakeSession()), connect(new FakeSession())];
	const log: string[] = [];
	const transceiver = offerer.addTransceiver('video');
	await offerer.setLocalDescription();
	await nextTask();
	record(log, offerer, 'connection', 'negotiationneeded', 'signalingstatechange');
	transceiver.direction = 'inactive';
	await answerer.setRemoteDescription(offerer.localDescription!);
	await answerer.setLocalDescription();
	await offerer.setRemoteDescription(answerer.localDescription!);
	assert.equal(log, ['connection signalingstatechange']);
	await nextTask();
	assert.equal(log, ['connection signalingstatechange', 'connection negotiationneeded']);
});

test('replaceTrack(null) leaves the track until the worker has let it go', async () => {
	const fake = new FakeSession();
	const connection = connect(fake);
	const { sender } = connection.addTransceiver('video');
	const [handle] = fake.of('RtpSender');
	handle!.refused.set('replaceTrack', new DOMException('no', 'OperationError'));
	assert.is(await sender.replaceTrack(null).catch(({ name }) => name), 'OperationError');
	handle!.refused.clear();
	await sender.replaceTrack(null);
	assert.equal(handle!.calls.at(-1), ['replaceTrack', { track: null }]);
});

test('offerToReceive… makes a transceiver, once, and turns receiving off', async () => {
	const connection = connect(new FakeSession());
	const directions = () => connection.getTransceivers().map(({ direction }) => direction);
	await connection.createOffer({ offerToReceiveAudio: true, offerToReceiveVideo: true });
	await connection.createOffer({ offerToReceiveAudio: true });
	assert.equal(directions(), ['recvonly', 'recvonly']);
	await connection.createOffer({ offerToReceiveVideo: false });
	assert.equal(directions(), ['recvonly', 'inactive']);
});

test('balanced: a section of each kind has a transport until the answer bundles them', async () => {
	const fake = new FakeSession();
	const connection = connect(fake);
	connection.addTransceiver('audio');
	connection.addTransceiver('audio');
	connection.addTransceiver('video');
	await connection.setLocalDescription();
	assert.is(fake.of('IceTransport').length, 2);
	const [first, second, video] = connection.getSenders();
	assert.is(first!.transport, second!.transport);
	assert.is.not(first!.transport, video!.transport);
	const other = connect(new FakeSession());
	await other.setRemoteDescription(connection.localDescription!);
	await other.setLocalDescription();
	const dropped = video!.transport!;
	await connection.setRemoteDescription(other.localDescription!);
	assert.is(video!.transport, first!.transport);
	await nextTask();
	assert.is(dropped.state, 'closed');
	assert.equal(
		fake.of('IceTransport').map(({ isDropped }) => isDropped),
		[false, true],
	);
});

test('the end of candidates of a bundled section is not that of the transport which it shares', async () => {
	const { answerer, theirs } = await negotiated((offerer) => {
		offerer.addTransceiver('audio');
		offerer.addTransceiver('video');
	});
	const given = () => theirs.of('IceTransport')[0]!.calls.filter(([name]) => name === 'addRemoteCandidate');
	await answerer.addIceCandidate({ candidate: '', sdpMid: '1' });
	assert.equal(given(), []);
	await answerer.addIceCandidate({ candidate: CANDIDATE, sdpMid: '1' });
	await answerer.addIceCandidate({ candidate: '', sdpMid: '0' });
	assert.equal(
		given().map(([, params]) => params.candidate),
		[CANDIDATE, null],
	);
});

test('a bundle takes the candidates of its tag: those of the other sections lead to sockets that are about to close', async () => {
	const of = (port: number) => `candidate:1 1 udp 2130706431 192.0.2.1 ${port} typ host`;
	const withCandidates = (sdp: string, first: number): string => {
		let port = first;
		return sdp.replaceAll(/a=ice-pwd:.*\r\n/g, (line) => `${line}a=${of(port++)}\r\n`);
	};
	const fake = new FakeSession();
	const answerer = connect(fake);
	const given = () => {
		const calls = fake.of('IceTransport')[0]!.calls.filter(([name]) => name === 'addRemoteCandidate');
		return calls.map(([, params]) => params.candidate);
	};
	// The second offer is of another peer, whose sections find one transport for all.
	for (const ports of [[5000], [6000, 6010]]) {
		const offerer = connect(new FakeSession());
		offerer.addTransceiver('audio');
		offerer.addTransceiver('video');
		await offerer.setLocalDescription();
		await answerer.setRemoteDescription({
			type: 'offer',
			sdp: withCandidates(offerer.localDescription!.sdp, ports[0]!),
		});
		await answerer.setLocalDescription();
		for (const trickled of ports.slice(1)) {
			await answerer.addIceCandidate({ candidate: of(trickled), sdpMid: '1' });
			await answerer.addIceCandidate({ candidate: of(trickled + 1), sdpMid: '0' });
		}
	}
	assert.equal(given(), [of(5000), of(6000), of(6011)]);
});

test('a peer that knows no BUNDLE keeps a transport a section', async () => {
	const fake = new FakeSession();
	const connection = connect(fake);
	connection.addTransceiver('audio');
	connection.addTransceiver('video');
	await connection.setLocalDescription();
	const other = connect(new FakeSession());
	const offer = connection.localDescription!.sdp.replace(/a=group:BUNDLE.*\r\n/, '');
	await other.setRemoteDescription({ type: 'offer', sdp: offer });
	await other.setLocalDescription();
	await connection.setRemoteDescription(other.localDescription!);
	assert.equal(
		fake.of('DtlsTransport').map(({ called }) => called),
		[['start'], ['start']],
	);
	const [audio, video] = connection.getSenders();
	assert.is.not(audio!.transport, video!.transport);
});

test('a pranswer starts what the answer goes on with', async () => {
	const [ours, theirs] = [new FakeSession(), new FakeSession()];
	const [offerer, answerer] = [connect(ours), connect(theirs)];
	offerer.addTransceiver('video');
	await offerer.setLocalDescription();
	await answerer.setRemoteDescription(offerer.localDescription!);
	const { sdp } = await answerer.createAnswer();
	await answerer.setLocalDescription({ type: 'pranswer', sdp });
	await offerer.setRemoteDescription({ type: 'pranswer', sdp: sdp! });
	assert.equal([answerer.signalingState, offerer.signalingState], ['have-local-pranswer', 'have-remote-pranswer']);
	assert.equal(ours.of('DtlsTransport')[0]!.called, ['start']);
	await answerer.setLocalDescription();
	await offerer.setRemoteDescription(answerer.localDescription!);
	assert.equal([answerer.signalingState, offerer.signalingState], ['stable', 'stable']);
	assert.equal(ours.of('DtlsTransport')[0]!.called, ['start']);
});

test.run();
