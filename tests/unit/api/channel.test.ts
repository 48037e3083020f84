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

test('send() takes what Web IDL makes of its argument', () => {
	assert.is(toMessage('ä').size, 2);
	assert.is(toMessage(12).data, '12');
	assert.throws(() => toMessage(Symbol('x')), TypeError);
	assert.throws(() => toMessage(new Uint8Array(new SharedArrayBuffer(1))), TypeError);
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
