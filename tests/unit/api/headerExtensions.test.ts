/** Which header extensions a transceiver negotiates, as its connection's application wishes. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RTCPeerConnection, type RTCRtpTransceiver } from '../../../shim/api/index.ts';
import { bindContext } from '../../../shim/rpc/context.ts';
import { FakeSession } from './fakeSession.ts';

const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid';
const LEVEL = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';

type Control = ReturnType<RTCRtpTransceiver['getHeaderExtensionsToNegotiate']>;

function connect(): RTCPeerConnection {
	const { session } = new FakeSession();
	return new (bindContext(RTCPeerConnection, { session: () => session }))();
}

async function negotiate(offerer: RTCPeerConnection, answerer: RTCPeerConnection): Promise<void> {
	await offerer.setLocalDescription();
	await answerer.setRemoteDescription(offerer.localDescription!);
	await answerer.setLocalDescription();
	await offerer.setRemoteDescription(answerer.localDescription!);
}

const transceiverOf = (connection: RTCPeerConnection) =>
	connection.getTransceivers()[0] as unknown as RTCRtpTransceiver;
const directionIn = (list: Control, uri: string) => list.find((each) => each.uri === uri)?.direction;

function wish(transceiver: RTCRtpTransceiver, uri: string, direction: Control[number]['direction']): void {
	const list = transceiver.getHeaderExtensionsToNegotiate();
	transceiver.setHeaderExtensionsToNegotiate(list.map((each) => (each.uri === uri ? { uri, direction } : each)));
}

async function pair() {
	const [ours, theirs] = [connect(), connect()];
	ours.addTransceiver('audio');
	const close = (): void => {
		ours.close();
		theirs.close();
	};
	return { ours, theirs, transceiver: transceiverOf(ours), close };
}

test('a header extension that is stopped is not offered, and may be offered again', async () => {
	const { ours, theirs, transceiver, close } = await pair();
	assert.equal(
		new Set(transceiver.getNegotiatedHeaderExtensions().map(({ direction }) => direction)),
		new Set(['stopped']),
	);
	wish(transceiver, LEVEL, 'stopped');
	await negotiate(ours, theirs);
	assert.not.match(ours.localDescription!.sdp, LEVEL);
	assert.is(directionIn(transceiver.getNegotiatedHeaderExtensions(), LEVEL), 'stopped');
	assert.is(directionIn(transceiver.getNegotiatedHeaderExtensions(), MID), 'sendrecv');
	wish(transceiver, LEVEL, 'sendrecv');
	await negotiate(ours, theirs);
	assert.match(ours.localDescription!.sdp, LEVEL);
	assert.is(directionIn(transceiver.getNegotiatedHeaderExtensions(), LEVEL), 'sendrecv');
	close();
});

test('an answer leaves out what it stopped, and gives back what is left of a direction', async () => {
	const { ours, theirs, transceiver, close } = await pair();
	wish(transceiver, LEVEL, 'sendonly');
	await ours.setLocalDescription();
	assert.match(ours.localDescription!.sdp, `a=extmap:1/sendonly ${LEVEL}\r\n`);
	await theirs.setRemoteDescription(ours.localDescription!);
	const answering = transceiverOf(theirs);
	const [, time] = answering.getHeaderExtensionsToNegotiate();
	wish(answering, time!.uri, 'stopped');
	await theirs.setLocalDescription();
	await ours.setRemoteDescription(theirs.localDescription!);
	assert.match(theirs.localDescription!.sdp, `a=extmap:1/recvonly ${LEVEL}\r\n`);
	assert.not.match(theirs.localDescription!.sdp, time!.uri);
	assert.is(directionIn(answering.getNegotiatedHeaderExtensions(), LEVEL), 'recvonly');
	assert.is(directionIn(transceiver.getNegotiatedHeaderExtensions(), LEVEL), 'sendonly');
	assert.is(directionIn(transceiver.getNegotiatedHeaderExtensions(), time!.uri), 'stopped');
	assert.is(directionIn(transceiver.getHeaderExtensionsToNegotiate(), time!.uri), 'sendrecv', 'we would have it');
	close();
});

test('the list keeps its members and their order, and the mid its direction', async () => {
	const { transceiver, close } = await pair();
	const list = transceiver.getHeaderExtensionsToNegotiate();
	const refusal = (change: (copy: Control) => unknown): string | undefined => {
		const copy = structuredClone(list);
		const given = (change(copy) ?? copy) as Control;
		try {
			transceiver.setHeaderExtensionsToNegotiate(given);
			return undefined;
		} catch (error) {
			return (error as Error).name;
		}
	};
	assert.is(
		refusal((copy) => copy.reverse()),
		'InvalidModificationError',
	);
	assert.is(
		refusal((copy) => copy.slice(1)),
		'InvalidModificationError',
	);
	assert.is(
		refusal((copy) => [...copy, { uri: 'urn:other', direction: 'recvonly' }]),
		'InvalidModificationError',
	);
	assert.is(
		refusal((copy) => copy.map((each) => ({ ...each, direction: each.uri === MID ? 'inactive' : each.direction }))),
		'InvalidModificationError',
	);
	assert.is(
		refusal((copy) => copy.map((each) => ({ ...each, uri: '' }))),
		'TypeError',
	);
	assert.is(
		refusal((copy) => copy.map(({ uri }) => ({ uri, direction: 'both' }))),
		'TypeError',
	);
	assert.equal(transceiver.getHeaderExtensionsToNegotiate(), list);
	close();
});

test.run();
