/** What is sent and not yet taken waits where it was sent: never in the bridge, nor in the worker. */
import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import events from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createShim, type Shim } from '../../entries/node.ts';
import type { RTCDataChannel, RTCPeerConnection } from '../../shim/api/index.ts';
import { childrenOf } from './bridge/processes.ts';
import { gathered, negotiate, next, opened, until } from './pcPair.ts';

const MIB = 1 << 20;
const TOTAL = 64 * MIB;
const WARM_UP = 4 * MIB;
/** Bytes of a channel that may be under way to the worker. */
const CREDIT = 256 * 1024;
const PIECE = 64 * 1024;
/** What a process may grow by: a few windows, and what an allocator keeps; far less than what is sent. */
const GROWTH = 32 * MIB;
const PATIENCE = 120_000;

let bridge: ChildProcess;
let worker: number;
let shims: [Shim, Shim];
/** Timers of tests, which a failure does not outlive. */
const watches: NodeJS.Timeout[] = [];
let endpoint: { url: string; token: string };

test.before(async () => {
	bridge = run('bridge');
	[endpoint] = (await events.once(bridge, 'message')) as [typeof endpoint];
	shims = [createShim(endpoint), createShim(endpoint)];
	const connection = new shims[0].RTCPeerConnection();
	await connection.createOffer();
	connection.close();
	[worker] = childrenOf(bridge.pid) as [number];
});

test.after.each(() => {
	for (const timer of watches.splice(0)) clearInterval(timer);
});

test.after(async () => {
	await Promise.all(shims.map((shim) => shim.close()));
	const gone = events.once(bridge, 'exit');
	bridge.disconnect();
	await gone;
});

test('a sender that never waits fills neither the bridge nor the worker: what has not left counts in bufferedAmount', async () => {
	const { ours, theirs, close } = await join(...shims);
	let received = 0;
	const hash = createHash('sha1');
	theirs.onmessage = ({ data }) => {
		received += data.byteLength;
		hash.update(new Uint8Array(data));
	};
	flood(ours, WARM_UP);
	// The credit of the last message may come after the message itself.
	await until('the warm-up', () => received === WARM_UP && ours.bufferedAmount === 0, PATIENCE);

	const memory = watchMemory();
	flood(ours, TOTAL);
	assert.is(ours.bufferedAmount, TOTAL);
	let before = ours.bufferedAmount;
	await until(
		'all of it',
		() => {
			assert.ok(ours.bufferedAmount <= before, 'it only falls when nothing is sent');
			before = ours.bufferedAmount;
			const left = TOTAL - before;
			// Credit comes in steps, by another way than the messages.
			assert.ok(received - WARM_UP <= left + CREDIT, 'what arrives has left');
			return received === WARM_UP + TOTAL;
		},
		PATIENCE,
	);
	memory.assertFlat();
	assert.is(hash.digest('hex'), digest(content(WARM_UP), content(TOTAL)));
	await until('nothing buffered', () => ours.bufferedAmount === 0);
	close();
});

test('a message of 64 MiB, the most that is announced, goes both ways, and neither the bridge nor the worker holds it', async () => {
	const { ours, theirs, close } = await join(...shims);
	const message = content(TOTAL);
	const expected = digest(message);
	const memory = watchMemory();
	for (const [from, to] of [
		[ours, theirs],
		[theirs, ours],
	] as const) {
		assert.throws(() => from.send(new Uint8Array(TOTAL + 1)), TypeError);
		const incoming = next<MessageEvent>(to, 'message', PATIENCE);
		from.send(message);
		assert.is(from.bufferedAmount, TOTAL);
		const { data } = await incoming;
		assert.is(digest(new Uint8Array(data)), expected);
		const small = next<MessageEvent>(to, 'message', PATIENCE);
		from.send('small');
		assert.is((await small).data, 'small');
		await until('nothing buffered', () => from.bufferedAmount === 0);
	}
	memory.assertFlat();
	ours.close();
	await next(theirs, 'close', PATIENCE);
	close();
});

test('a receiver that does not read stops its own association, and no other of the worker; then all arrives', async () => {
	const reader = run('receiver', endpoint);
	const connection = new shims[0].RTCPeerConnection();
	const ours = connection.createDataChannel('stalled');
	await negotiateWith(connection, reader);
	await opened(ours);
	const [others, beside] = [await echo(...shims), await echo(shims[0], shims[0])];

	const memory = watchMemory();
	process.kill(reader.pid!, 'SIGSTOP');
	flood(ours, TOTAL);
	let before = Number.NaN;
	await until(
		'the flood has come to a halt',
		async () => {
			const halted = ours.bufferedAmount === before;
			before = ours.bufferedAmount;
			if (!halted) await new Promise((resolve) => setTimeout(resolve, 1_000));
			return halted;
		},
		PATIENCE,
	);
	assert.ok(before > TOTAL / 2, `${before} bytes wait`);
	for (let index = 0; index < 20; index++) await Promise.all([others.once(), beside.once()]);
	assert.is(connection.connectionState, 'connected');
	memory.assertFlat();

	const done = events.once(reader, 'message');
	process.kill(reader.pid!, 'SIGCONT');
	const [arrived] = (await done) as [{ digest: string }];
	assert.is(arrived.digest, digest(content(TOTAL)));
	memory.assertFlat();
	for (const each of [others, beside]) each.close();
	connection.close();
	const gone = events.once(reader, 'exit');
	reader.disconnect();
	await gone;
});

function run(what: 'bridge' | 'receiver', options: object = {}): ChildProcess {
	const program = path.join(import.meta.dirname, 'channelsPrograms.ts');
	return fork(program, [what, JSON.stringify({ ...options, total: TOTAL })], {
		execArgv: [...process.execArgv, '--expose-gc'],
	});
}

/** A channel between two shims, candidates in the descriptions. */
async function join(a: Shim, b: Shim) {
	const [offerer, answerer] = [new a.RTCPeerConnection(), new b.RTCPeerConnection()];
	const ours = offerer.createDataChannel('channel');
	const incoming = next<RTCDataChannelEvent>(answerer, 'datachannel', PATIENCE);
	await negotiate({ offerer, answerer }, { trickle: false });
	const theirs = (await incoming).channel as unknown as RTCDataChannel;
	await opened(ours);
	const close = () => {
		offerer.close();
		answerer.close();
	};
	return { ours, theirs, close };
}

/** A channel of which each message comes back. */
async function echo(a: Shim, b: Shim) {
	const { ours, theirs, close } = await join(a, b);
	theirs.onmessage = ({ data }) => theirs.send(data);
	const once = async () => {
		const back = next<MessageEvent>(ours, 'message', PATIENCE);
		ours.send('there and back');
		await back;
	};
	return { once, close };
}

async function negotiateWith(connection: RTCPeerConnection, reader: ChildProcess): Promise<void> {
	await connection.setLocalDescription();
	await gathered(connection);
	reader.send({ sdp: connection.localDescription!.sdp });
	const [{ sdp }] = (await events.once(reader, 'message')) as [{ sdp: string }];
	await connection.setRemoteDescription({ type: 'answer', sdp });
}

/** Sends without waiting. */
function flood(channel: RTCDataChannel, bytes: number): void {
	const all = content(bytes);
	for (let start = 0; start < bytes; start += PIECE) channel.send(all.subarray(start, start + PIECE));
}

/** Bytes that differ from each other, the same for the same length. */
function content(bytes: number): Uint8Array<ArrayBuffer> {
	const words = new Uint32Array(bytes / 4);
	for (let index = 0; index < words.length; index++) words[index] = Math.imul(index + bytes, 2_654_435_761);
	return new Uint8Array(words.buffer);
}

function digest(...parts: Uint8Array[]): string {
	const hash = createHash('sha1');
	for (const part of parts) hash.update(part);
	return hash.digest('hex');
}

/** Looks at the most that bridge and worker have held since now. */
function watchMemory(): { assertFlat(): void } {
	const processes = { bridge: bridge.pid!, worker };
	const before = Object.values(processes).map(memoryOf);
	let most = before;
	const look = () => {
		most = Object.values(processes).map((pid, index) => Math.max(memoryOf(pid), most[index]!));
	};
	const timer = setInterval(look, 50);
	watches.push(timer);
	return {
		assertFlat() {
			look();
			Object.keys(processes).forEach((name, index) => {
				const grown = most[index]! - before[index]!;
				assert.ok(grown < GROWTH, `the ${name} grew by ${Math.round(grown / MIB)} MiB`);
			});
		},
	};
}

/** Bytes of a process that are in memory. */
function memoryOf(pid: number): number {
	const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
	return Number(kilobytes ?? Number.NaN) * 1024;
}

test.run();
