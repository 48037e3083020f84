import { runInNewContext } from 'node:vm';
import { JSDOM } from 'jsdom';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DataChannel, toMessage } from '../../../shim/api/dataChannel.ts';
import type { Remote } from '../../../shim/rpc/Remote.ts';
import { nextTask } from '../../../shim/webidl/task.ts';
import { FakeRemote } from './fakeSession.ts';

const init = {
	label: 'x',
	protocol: '',
	ordered: true,
	maxPacketLifeTime: null,
	maxRetransmits: null,
	negotiated: false,
};

function attached() {
	const removed: string[] = [];
	const owner = {
		isClosed: false,
		maxMessageSize: 1_000,
		channelOpened: () => {},
		removeChannel: ({ readyState }: DataChannel) => removed.push(readyState),
	};
	const channel = new DataChannel(owner, init, 1);
	const handle = new FakeRemote('DataChannel', 1, {});
	channel.attach(handle as unknown as Remote<'DataChannel'>);
	return { channel, handle, removed, object: channel.object, events: listen(channel) };
}

function listen({ object }: DataChannel): string[] {
	const events: string[] = [];
	for (const type of ['open', 'closing', 'close', 'bufferedamountlow']) {
		object.addEventListener(type, () => events.push(type));
	}
	object.onerror = ({ error }) => events.push(`error ${error.errorDetail} ${error.sctpCauseCode}`);
	object.onmessage = ({ data }) => events.push(`message ${data}`);
	return events;
}

test('a channel is open when the worker says so, and gives messages only then', async () => {
	const { object, handle, events } = attached();
	assert.throws(() => object.send('x'), /connecting/);
	handle.onmessage?.('early');
	await handle.emit('open', { streamId: 1 });
	handle.onmessage?.('in time');
	assert.equal([object.readyState, events], ['open', ['open', 'message in time']]);
});

test('what follows a Blob waits for it, and close() for both', async () => {
	const { object, handle } = attached();
	await handle.emit('open', { streamId: 1 });
	object.send(new Blob(['ab']));
	object.send('cd');
	assert.is(object.bufferedAmount, 4);
	object.close();
	assert.equal([handle.sent, handle.called], [[], []]);
	for (let turn = 0; turn < 10; turn += 1) await nextTask();
	assert.equal([handle.sent, handle.called], [[[97, 98], 'cd'], ['close']]);
	assert.is(object.bufferedAmount, 4);
});

test('a buffer is taken as it is when it is sent, behind a Blob too', async () => {
	const { object, handle } = attached();
	await handle.emit('open', { streamId: 1 });
	const bytes = new Uint8Array([1, 2, 3, 4]);
	object.send(bytes.subarray(1, 3));
	object.send(new Blob(['a']));
	object.send(bytes.subarray(2));
	bytes.fill(0);
	while (handle.sent.length < 3) await nextTask();
	assert.equal(handle.sent, [[2, 3], [97], [3, 4]]);
});

function textOf(data: unknown): string {
	const message = toMessage(data);
	assert.ok(message.text);
	return new TextDecoder().decode(message.data as Uint8Array);
}

test('send() takes what Web IDL makes of its argument', () => {
	assert.is(toMessage('ä').size, 2);
	assert.is(textOf(12), '12');
	assert.is(textOf(new SharedArrayBuffer(1)), '[object SharedArrayBuffer]');
	assert.throws(() => toMessage(Symbol('x')), TypeError);
	assert.throws(() => toMessage(new Uint8Array(new SharedArrayBuffer(1))), TypeError);
	assert.throws(() => toMessage(new Uint8Array(new SharedArrayBuffer(1), 1)), TypeError);
});

/** As `value instanceof` would not know it. */
function foreign<T>(expression: string): T {
	return runInNewContext(expression);
}

test('data of another realm is sent as what it is', async () => {
	const { object, handle } = attached();
	await handle.emit('open', { streamId: 1 });
	object.send(foreign<ArrayBuffer>('new Uint8Array([1, 2, 3]).buffer'));
	object.send(foreign<Uint8Array<ArrayBuffer>>('new Uint8Array([1, 2, 3]).subarray(1)'));
	object.send(foreign<DataView<ArrayBuffer>>('new DataView(new Uint8Array([4, 5]).buffer)'));
	object.send(foreign<string>("new String('text')"));
	const { Blob: OtherBlob } = new JSDOM('', { url: 'https://jsdom.test', runScripts: 'outside-only' }).window;
	object.send(new OtherBlob(['jsdom']));
	while (handle.sent.length < 5) await nextTask();
	assert.equal(handle.sent, [[1, 2, 3], [2, 3], [4, 5], 'text', [...Buffer.from('jsdom')]]);
	assert.throws(() => object.send(foreign('new Uint8Array(new SharedArrayBuffer(1))')), TypeError);
});

test('what only calls itself a buffer or a Blob is sent as its string, and a detached buffer as nothing', () => {
	assert.is(textOf({ [Symbol.toStringTag]: 'ArrayBuffer', byteLength: 1 }), '[object ArrayBuffer]');
	assert.is(textOf(Object.create(ArrayBuffer.prototype)), '[object ArrayBuffer]');
	assert.is(textOf({ [Symbol.toStringTag]: 'Blob' }), '[object Blob]');
	const buffer = new ArrayBuffer(8);
	structuredClone(buffer, { transfer: [buffer] });
	assert.is(toMessage(buffer).size, 0);
});

test('a string is encoded once', async () => {
	const { object, handle } = attached();
	await handle.emit('open', { streamId: 1 });
	const { encode, encodeInto } = TextEncoder.prototype;
	let encoded = 0;
	TextEncoder.prototype.encode = function (text) {
		encoded += 1;
		return encode.call(this, text);
	};
	TextEncoder.prototype.encodeInto = function (...into) {
		encoded += 1;
		return encodeInto.apply(this, into);
	};
	try {
		object.send('grüße');
	} finally {
		Object.assign(TextEncoder.prototype, { encode, encodeInto });
	}
	assert.equal([handle.sent, encoded, object.bufferedAmount], [['grüße'], 1, 7]);
});

test('bufferedAmount keeps its value when the channel closes while a Blob is read', async () => {
	const { object, handle } = attached();
	await handle.emit('open', { streamId: 1 });
	const blob = new Blob(['345']);
	let read!: (bytes: ArrayBuffer) => void;
	blob.arrayBuffer = () => new Promise((resolve) => (read = resolve));
	object.send('12');
	object.send(blob);
	object.send('6789');
	await handle.emit('close', { error: { errorDetail: 'sctp-failure', message: 'aborted' } });
	assert.is(object.bufferedAmount, 9);
	read(new ArrayBuffer(3));
	await nextTask();
	assert.equal([object.bufferedAmount, handle.sent], [9, ['12']]);
});

test('bufferedamountlow fires when the threshold is passed, and not below it', async () => {
	const { object, handle, events } = attached();
	await handle.emit('open', { streamId: 1 });
	object.bufferedAmountLowThreshold = 100;
	object.send('x'.repeat(300));
	await handle.credit(150);
	await handle.credit(50);
	await handle.credit(50);
	await handle.credit(50);
	assert.equal(events, ['open', 'bufferedamountlow']);
	object.send('x'.repeat(50));
	await handle.credit(50);
	assert.is(events.length, 2, 'it never was above');
	assert.throws(() => Reflect.set(object, 'bufferedAmountLowThreshold', -1), TypeError);
});

test('the peer closes: closing, our close call, close', async () => {
	const { object, handle, events, removed } = attached();
	await handle.emit('open', { streamId: 1 });
	await handle.emit('closing');
	assert.equal([object.readyState, handle.called], ['closing', ['close']]);
	await handle.emit('close');
	assert.equal([object.readyState, events], ['closed', ['open', 'closing', 'close']]);
	assert.equal([handle.isDropped, removed.at(-1)], [true, 'closed']);
});

test('an association that fails: error with its cause, then close; bufferedAmount stays', async () => {
	const { object, handle, events } = attached();
	await handle.emit('open', { streamId: 1 });
	object.send('1234');
	await handle.emit('close', { error: { errorDetail: 'sctp-failure', message: 'aborted', sctpCauseCode: 12 } });
	assert.equal(events, ['open', 'error sctp-failure 12', 'close']);
	assert.is(object.bufferedAmount, 4);
	assert.throws(() => object.send('x'), /closed/);
});

test('a channel that is closed before there is an association closes by itself', async () => {
	const owner = { isClosed: false, maxMessageSize: 1, channelOpened: () => {}, removeChannel: () => {} };
	const channel = new DataChannel(owner, init, null);
	const events = listen(channel);
	channel.object.close();
	assert.is(channel.object.readyState, 'closing');
	await nextTask();
	assert.equal([channel.object.readyState, events], ['closed', ['close']]);
});

test.run();
