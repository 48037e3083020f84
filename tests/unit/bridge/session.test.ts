import { EventEmitter } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { LocalSocket } from '../../../bridge/LocalSocket.ts';
import { CAPABILITIES, DEFAULT_LIMITS } from '../../../bridge/limits.ts';
import type { ShimSocket } from '../../../bridge/ShimSocket.ts';
import { BridgeSession } from '../../../bridge/session.ts';

/** A session whose worker is the test; `given` are the frames whose memory it gave back. */
function open() {
	const given: string[] = [];
	const local = {
		onframe: null as ((payload: Buffer, binary: boolean) => void) | null,
		buffered: 0,
		send() {},
		end() {},
		giveBack: (payload: Buffer) => given.push(payload.toString()),
	};
	const session = new BridgeSession({
		id: 's',
		access: { token: 't', capabilities: CAPABILITIES, limits: DEFAULT_LIMITS },
		local: local as unknown as LocalSocket,
		worker: { aiortc: 'none', codecs: [] },
		workerEnd: () => 'the worker died',
		graceSeconds: 1,
		shared: true,
		onend() {},
	});
	const fromWorker = (...texts: string[]) => {
		for (const text of texts) local.onframe!(Buffer.from(text), false);
	};
	return { session, given, fromWorker };
}

function makeSocket(): ShimSocket {
	const methods = { readyState: 1, OPEN: 1, bufferedAmount: 0, send() {}, close() {}, terminate() {} };
	return Object.assign(new EventEmitter(), methods) as unknown as ShimSocket;
}

const ack = (count: number) => Buffer.from(`{"ack":${count}}`);

test('the memory of a frame goes back to its socket when the shim has acknowledged it', () => {
	const { session, given, fromWorker } = open();
	const socket = makeSocket();
	session.attach(socket);
	fromWorker('{"reply":1}', '{"ack":1}', '{"reply":2}', '{"reply":3}');
	assert.equal(given, []);
	session.fromShim(socket, ack(2), false);
	assert.equal(given, ['{"reply":1}', '{"reply":2}']);
	session.fromShim(socket, ack(2), false);
	session.fromShim(socket, ack(3), false);
	assert.equal(given, ['{"reply":1}', '{"reply":2}', '{"reply":3}']);
	session.end(1000, '');
});

test('what was sent before a resume does not go back, since the earlier socket may still hold it', () => {
	const { session, given, fromWorker } = open();
	session.attach(makeSocket());
	fromWorker('{"reply":1}', '{"reply":2}', '{"reply":3}');
	const socket = makeSocket();
	session.resume(socket, 1);
	fromWorker('{"reply":4}');
	session.fromShim(socket, ack(3), false);
	assert.equal(given, []);
	session.fromShim(socket, ack(4), false);
	assert.equal(given, ['{"reply":4}']);
	session.end(1000, '');
});

test.run();
