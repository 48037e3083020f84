import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BridgeLog } from '../../../bridge/log/BridgeLog.ts';
import { ensurePython } from '../../../bridge/python.ts';
import { Worker } from '../../../bridge/worker.ts';
import { Session } from '../../../shim/rpc/Session.ts';
import { eventually, sleep } from '../link/eventually.ts';
import { Relay } from '../link/relay.ts';
import { connectPair } from './channelPair.ts';
import { workerEnd } from './localWorker.ts';

const lines: string[] = [];
let worker: Worker;

interface Running {
	session: Session;
	relay: Relay;
}

/** Runs `use` with a session of the worker. */
async function withSession(use: (running: Running) => Promise<void>): Promise<void> {
	const relay = new Relay(workerEnd(await worker.connect()));
	const session = new Session({ connect: () => ({ url: 'memory:', token: 't' }), openSocket: relay.open });
	await use({ session, relay });
	await session.close();
}

test.before(async () => {
	const python = await ensurePython();
	worker = await Worker.start({
		python,
		signal: new AbortController().signal,
		log: new BridgeLog(({ kind, message }) => lines.push(`${kind}: ${message}`)),
	});
});

test.after(async () => {
	await worker.stop();
	const failures = lines.filter((line) => /task-failed|uncaught/.test(line));
	assert.equal(failures, [], 'no task failed without an owner');
});

test('a real worker answers, and says what is alive', () =>
	withSession(async ({ session }) => {
		assert.equal(await session.root.call('ping', {}), {});
		session.create('Certificate', { algorithm: 'ECDSA' });
		assert.equal((await session.root.call('dump', {})).objects, { Certificate: 1 });
	}));

test("a refused creation is its object's error, and that of every call on it", () =>
	withSession(async ({ session }) => {
		const source = session.create('MediaSource', { type: 'test', video: {} });
		source.drop();
		const track = session.create('Track', { source, kind: 'video' });
		const event = new Promise<{ name: string }>((resolve) => track.on('error', resolve));
		const call = await track.call('stop', {}).catch((error: DOMException) => error);
		assert.is((await event).name, 'NotFoundError');
		assert.is((call as DOMException).name, 'NotFoundError');
		assert.match((call as DOMException).message, `no object ${source.id}`);
	}));

test('messages of a channel arrive once and in order, however often the socket is cut', () =>
	withSession(async ({ session, relay }) => {
		const [near, far] = await connectPair(session);
		const sizes = Array.from({ length: 120 }, (_, n) => (n % 10 === 0 ? 100_000 : n));
		const got: number[] = [];
		far.onmessage = (data) => got.push(data.length);
		for (const [n, size] of sizes.entries()) {
			near.send(n % 2 === 0 ? 'x'.repeat(size) : new Uint8Array(size));
			if (n % 15 === 14) {
				await sleep(20);
				relay.cut();
			}
		}
		await eventually('all messages', () => got.length >= sizes.length, 20_000);
		assert.equal(got, sizes);
		await eventually('an empty buffer', () => near.bufferedAmount === 0);
		assert.ok(relay.sockets.length > 5);
	}));

test('nothing of a dropped channel is alive', () =>
	withSession(async ({ session }) => {
		const [near, far] = await connectPair(session);
		near.send('x');
		near.drop();
		far.drop();
		await sleep(50);
		const { objects } = await session.root.call('dump', {});
		assert.equal(objects, { Certificate: 2, IceTransport: 2, DtlsTransport: 2, SctpTransport: 2 });
	}));

test.run();
