import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RTCDataChannel } from '../../shim/api/index.ts';
import { connected, failure, makeChannels, makePair, negotiate, next, opened, record, shim, until } from './pcPair.ts';

const KIB = 1024;

function messages(channel: RTCDataChannel): unknown[] {
	const seen: unknown[] = [];
	channel.addEventListener('message', ({ data }) => seen.push(data));
	return seen;
}

test('a channel of the offerer opens on both sides, with the id that its DTLS role gives it', async () => {
	const { ours, theirs, close, offerer } = await makeChannels({ protocol: 'p', ordered: false, maxRetransmits: 3 });
	await opened(theirs);
	assert.is(ours.id, 1);
	assert.is(theirs.id, 1);
	for (const channel of [ours, theirs]) {
		assert.equal(
			[channel.label, channel.protocol, channel.ordered, channel.maxRetransmits, channel.maxPacketLifeTime],
			['channel', 'p', false, 3, null],
		);
		assert.not(channel.negotiated);
	}
	assert.is(offerer.sctp?.state, 'connected');
	assert.is(offerer.sctp?.maxMessageSize, 64 * KIB * KIB);
	assert.ok(offerer.sctp!.maxChannels! > 100);
	close();
});

test('a channel opens when bytes can flow and not before: what is sent at once arrives', async () => {
	const pair = makePair();
	const ours = pair.offerer.createDataChannel('early');
	assert.is(await failure(() => ours.send('too early')), 'InvalidStateError');
	const states: string[] = [];
	ours.onopen = () => {
		const { sctp } = pair.offerer;
		states.push(sctp!.state, sctp!.transport.state, ours.readyState);
		ours.send('at once');
	};
	const incoming = next<RTCDataChannelEvent>(pair.answerer, 'datachannel');
	await negotiate(pair);
	const { data } = await next<MessageEvent>((await incoming).channel, 'message');
	assert.is(data, 'at once');
	assert.equal(states, ['connected', 'connected', 'open']);
	pair.close();
});

test('getStats() tells no address that the application was not given', async () => {
	const { offerer, answerer, close } = makePair({ trickle: false });
	offerer.createDataChannel('x');
	offerer.onicecandidate = ({ candidate }) => {
		void answerer.addIceCandidate(candidate);
	};
	await offerer.setLocalDescription();
	await answerer.setRemoteDescription(offerer.localDescription!);
	const answer = await answerer.createAnswer();
	await answerer.setLocalDescription(answer);
	await offerer.setRemoteDescription(answer);
	await connected(offerer, answerer);
	const remoteCandidates = async (connection: typeof offerer) =>
		[...(await connection.getStats()).values()].filter(({ type }) => type === 'remote-candidate');
	const [learnt] = await remoteCandidates(offerer);
	assert.equal([learnt?.candidateType, learnt?.address], ['prflx', null]);
	const pair = [...(await offerer.getStats()).values()].find(({ type }) => type === 'candidate-pair');
	assert.is(pair?.remoteCandidateId, learnt?.id);
	for (const given of await remoteCandidates(answerer)) assert.ok(given.address);
	close();
});

test('every type that send() takes arrives whole and in order, a Blob too', async () => {
	const { ours, theirs, close } = await makeChannels();
	const seen = messages(theirs);
	const bytes = Uint8Array.from({ length: 300 }, (_, index) => index & 255);
	ours.send('näher 💬');
	ours.send(new Blob([bytes]));
	ours.send('after the Blob');
	ours.send(bytes.subarray(10, 20));
	ours.send(bytes.buffer);
	ours.send('');
	ours.send(new Uint8Array());
	bytes.fill(7);
	await until('7 messages', () => seen.length === 7);
	const read = seen.map((data) => (typeof data === 'string' ? data : [...new Uint8Array(data as ArrayBuffer)]));
	const sent = Array.from({ length: 300 }, (_, index) => index & 255);
	assert.equal(read, ['näher 💬', sent, 'after the Blob', sent.slice(10, 20), sent, '', []]);
	close();
});

test("binaryType 'blob' gives Blobs, and what is no BinaryType changes nothing", async () => {
	const { ours, theirs, close } = await makeChannels();
	assert.is(theirs.binaryType, 'arraybuffer');
	theirs.binaryType = 'blob';
	Reflect.set(theirs, 'binaryType', 'text');
	assert.is(theirs.binaryType, 'blob');
	const incoming = next<MessageEvent>(theirs, 'message');
	ours.send(new Uint8Array([1, 2, 3]));
	const { data } = await incoming;
	assert.instance(data, Blob);
	assert.equal([...new Uint8Array(await data.arrayBuffer())], [1, 2, 3]);
	close();
});

test('100 messages sent at once are 100 messages to a loop that awaits each', async () => {
	const { ours, theirs, close } = await makeChannels();
	for (let index = 0; index < 100; index += 1) ours.send(String(index));
	const seen: string[] = [];
	while (seen.length < 100) seen.push((await next<MessageEvent>(theirs, 'message')).data);
	assert.equal(
		seen,
		Array.from({ length: 100 }, (_, index) => String(index)),
	);
	close();
});

test('bufferedAmount rises with send() and falls to 0; bufferedamountlow fires once when it passes the threshold', async () => {
	const { ours, theirs, close } = await makeChannels();
	let received = 0;
	theirs.addEventListener('message', ({ data }) => {
		received += data.byteLength;
	});
	const events = record(ours, 'bufferedamountlow');
	ours.bufferedAmountLowThreshold = 100 * KIB;
	for (let index = 1; index <= 16; index += 1) {
		ours.send(new Uint8Array(64 * KIB));
		assert.is(ours.bufferedAmount, index * 64 * KIB);
	}
	await until('all received', () => received === 1024 * KIB);
	await until('nothing buffered', () => ours.bufferedAmount === 0);
	assert.equal(events, ['bufferedamountlow']);
	close();
});

test('a message as large as the peer takes arrives; one byte more is a TypeError, and what follows still arrives', async () => {
	const { ours, theirs, close } = await makeLimited('262144');
	const seen = messages(theirs);
	ours.send(new Uint8Array(262_144).fill(3));
	for (const tooLarge of [new Uint8Array(262_145), new Blob(['x'.repeat(262_145)]), 'ä'.repeat(131_073)]) {
		assert.is(await failure(() => ours.send(tooLarge)), 'TypeError');
	}
	assert.throws(() => ours.send(new Uint8Array(262_145)), /262145 bytes; the peer accepts 262144/);
	assert.is(ours.bufferedAmount, 262_144);
	ours.send('ä'.repeat(131_072));
	await until('two messages', () => seen.length === 2);
	const [bytes, text] = seen as [ArrayBuffer, string];
	assert.is(bytes.byteLength, 262_144);
	assert.ok(new Uint8Array(bytes).every((byte) => byte === 3));
	assert.is(text, 'ä'.repeat(131_072));
	assert.is(ours.readyState, 'open');
	close();
});

for (const announced of ['0', '1073741823']) {
	test(`issue 11: to a peer that announces ${announced}, messages of more than a channel's credit go, what follows and close() too`, async () => {
		const { ours, theirs, offerer, close } = await makeLimited(announced);
		assert.is(offerer.sctp?.maxMessageSize, Number(announced) || Number.POSITIVE_INFINITY);
		const seen = messages(theirs);
		const text = '€ grüße 💬 '.repeat(100_000);
		const sizes = [262_144, 262_145, 1_000_003, 5_000_001];
		for (const size of sizes) ours.send(new Uint8Array(size).fill(size & 255));
		ours.send(text);
		ours.send(new Blob([text]));
		ours.send('small');
		ours.close();
		await Promise.all([next(ours, 'close'), next(theirs, 'close')]);
		const bytes = seen.filter((data) => typeof data !== 'string').map((data) => new Uint8Array(data as ArrayBuffer));
		assert.equal(
			bytes.map(({ byteLength }) => byteLength),
			[...sizes, Buffer.byteLength(text)],
		);
		for (const [index, size] of sizes.entries()) assert.ok(bytes[index]!.every((byte) => byte === (size & 255)));
		assert.ok(Buffer.from(bytes[4]!).equals(Buffer.from(text)));
		assert.equal([seen[4] === text, seen[6], seen.length], [true, 'small', 7]);
		assert.is(ours.bufferedAmount, 0);
		close();
	});
}

/** A channel whose peer announces another size of messages. */
async function makeLimited(announced: string) {
	const pair = makePair();
	const ours = pair.offerer.createDataChannel('channel');
	const incoming = next<RTCDataChannelEvent>(pair.answerer, 'datachannel');
	const line = /a=max-message-size:\d+/;
	await negotiate(pair, {
		edit: (sdp, type) => (type === 'answer' ? sdp.replace(line, `a=max-message-size:${announced}`) : sdp),
	});
	const theirs = (await incoming).channel as unknown as RTCDataChannel;
	await opened(ours);
	return { ...pair, ours, theirs };
}

test('close() delivers what was sent, then fires closing at the peer and close at both', async () => {
	const { ours, theirs, close } = await makeChannels();
	const seen = messages(theirs);
	const ourEvents = record(ours, 'closing', 'close', 'error');
	const theirEvents = record(theirs, 'closing', 'close', 'error');
	for (let index = 0; index < 20; index += 1) ours.send(new Uint8Array(16 * KIB));
	ours.close();
	assert.is(ours.readyState, 'closing');
	assert.is(await failure(() => ours.send('late')), 'InvalidStateError');
	await Promise.all([next(ours, 'close'), next(theirs, 'close')]);
	assert.is(seen.length, 20);
	assert.equal(ourEvents, ['close']);
	assert.equal(theirEvents, ['closing', 'close']);
	assert.equal([ours.readyState, theirs.readyState], ['closed', 'closed']);
	close();
});

test('the id of a closed channel can be used again', async () => {
	const { ours, theirs, close, offerer, answerer } = await makeChannels();
	ours.close();
	await Promise.all([next(ours, 'close'), next(theirs, 'close')]);
	const incoming = next<RTCDataChannelEvent>(answerer, 'datachannel');
	const again = offerer.createDataChannel('again');
	assert.is(again.id, 1);
	assert.is((await incoming).channel.label, 'again');
	await opened(again);
	close();
});

test('negotiated channels meet by their id, without a datachannel event', async () => {
	const pair = makePair();
	const events = record(pair.answerer, 'datachannel');
	const [ours, theirs] = [pair.offerer, pair.answerer].map((connection) =>
		connection.createDataChannel('n', { negotiated: true, id: 7 }),
	) as [RTCDataChannel, RTCDataChannel];
	assert.is(await failure(() => pair.offerer.createDataChannel('o', { negotiated: true, id: 7 })), 'OperationError');
	await negotiate(pair);
	await Promise.all([opened(ours), opened(theirs)]);
	const incoming = next<MessageEvent>(theirs, 'message');
	ours.send('by id');
	assert.is((await incoming).data, 'by id');
	assert.equal(events, []);
	pair.close();
});

test('a channel made by each side before the other knows gets an id of its own parity', async () => {
	const pair = makePair();
	pair.offerer.createDataChannel('first');
	await negotiate(pair);
	await connected(pair.offerer, pair.answerer);
	const [ours, theirs] = [pair.offerer.createDataChannel('a'), pair.answerer.createDataChannel('b')];
	assert.is(ours.id! % 2, 1);
	assert.is(theirs.id! % 2, 0);
	await Promise.all([opened(ours), opened(theirs)]);
	pair.close();
});

test('what createDataChannel() refuses', async () => {
	const connection = new shim.RTCPeerConnection();
	const make = (init: object, label = 'x') =>
		failure(() => connection.createDataChannel(label, init as RTCDataChannelInit));
	assert.is(await make({ negotiated: true }), 'TypeError');
	assert.is(await make({ negotiated: true, id: 65_535 }), 'TypeError');
	assert.is(await make({ id: 65_536 }), 'TypeError');
	assert.is(await make({ maxPacketLifeTime: 1, maxRetransmits: 1 }), 'TypeError');
	assert.is(await make({ maxRetransmits: -1 }), 'TypeError');
	assert.is(await make({}, 'ä'.repeat(32_768)), 'TypeError');
	assert.is(await make({ maxPacketLifeTime: undefined, protocol: undefined }), 'nothing');
	connection.close();
	assert.is(await make({}), 'InvalidStateError');
});

test("closing a connection closes its channels at once, and the peer's with an error and a close event", async () => {
	const { ours, theirs, offerer, answerer } = await makeChannels();
	const events = record(ours, 'close', 'error', 'closing');
	const theirEvents = record(theirs, 'close', 'error', 'closing');
	const closed = next(theirs, 'close');
	offerer.close();
	assert.is(ours.readyState, 'closed');
	await closed;
	assert.is(theirs.readyState, 'closed');
	assert.equal([events, theirEvents], [[], ['error', 'close']]);
	answerer.close();
});

test.after(() => shim.close());

test.run();
