/** What a bridge logs of hostile and normal sessions: enough to know what happened, and nothing that was sent. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { run, runSupervised } from '../../../bridge/interpreter.ts';
import { PER_KIND } from '../../../bridge/log/LineQuota.ts';
import { type Bridge, type BridgeOptions, startBridge } from '../../../bridge/server.ts';
import type { LogRecord } from '../../../shim/link/log.ts';
import { Client, ping, rejection } from './client.ts';
import { childrenOf, isAlive, within } from './processes.ts';

const TOKEN = 'c2VjcmV0LW9mLXRoZS1icmlkZ2U';
/** In every byte that a peer or a shim sends. */
const MARKER = 'MARKER';

/** Runs `work` with a bridge, and gives what was logged, its end included. */
async function logOf(options: BridgeOptions, work: (bridge: Bridge, log: LogRecord[]) => Promise<void>) {
	const log: LogRecord[] = [];
	const bridge = await startBridge({ workers: 1, spares: 0, token: TOKEN, log: (each) => log.push(each), ...options });
	try {
		await bridge.ready;
		await work(bridge, log);
	} finally {
		await bridge.close();
	}
	return log;
}

/** Runs `work` with more variables in this process's environment. */
async function withEnvironment(more: Record<string, string>, work: () => Promise<void>): Promise<void> {
	const before = { ...process.env };
	Object.assign(process.env, more);
	try {
		await work();
	} finally {
		process.env = before;
	}
}

/** A session in which `frames` are sent, until it is closed or has answered the ping behind them. */
async function session(bridge: Bridge, frames: (object | string | Buffer)[], more: object = {}): Promise<string> {
	const client = new Client(bridge.url);
	const { key } = await client.hello(TOKEN, more);
	for (const frame of frames) {
		if (frame instanceof Buffer) client.socket.send(frame);
		else client.send(frame);
	}
	client.send(ping(99));
	for (let frame = await client.take().catch(() => null); frame; frame = await client.take().catch(() => null)) {
		if (frame.reply === 99) await client.end();
	}
	await client.closed;
	return key;
}

/** How the bridge closes after a first frame. */
async function firstFrame(bridge: Bridge, frame: object): Promise<number> {
	const client = new Client(bridge.url);
	await client.opened;
	client.send(frame);
	return (await client.closed).code;
}

/** A record of a binary frame: kind, flags, object, length. */
function mediaRecord(object: number, payload: string): Buffer {
	const header = Buffer.alloc(12);
	header.writeUInt8(2, 0);
	header.writeUInt32BE(object, 4);
	header.writeUInt32BE(payload.length, 8);
	return Buffer.concat([header, Buffer.from(payload)]);
}

const iceServers = [
	{ urls: [`turn:127.0.0.1:9?transport=tcp`], username: `${MARKER}-user`, credential: `${MARKER}-cred` },
];
const ice = {
	usernameFragment: `${MARKER}ufrag`,
	password: `${MARKER}password0123456789`,
	role: 'controlling',
	iceServers,
};
const remote = { usernameFragment: `${MARKER}other`, password: `${MARKER}otherpassword012345`, lite: false };

/** What a shim, or whoever has a token, may send. */
const SENT: (object | string | Buffer)[][] = [
	[],
	[{ hello: { version: 1, token: TOKEN, client: MARKER } }],
	[`{"${MARKER}":1}`],
	[`{"call":"${MARKER}","on":0}`],
	[`${MARKER}${TOKEN}`],
	[{ new: 1, type: MARKER, in: {} }],
	[{ call: 1, on: 0, do: MARKER, in: { password: MARKER } }],
	[{ ack: MARKER }],
	[`{"ping":"${MARKER}"}`],
	[Buffer.from(MARKER.repeat(20))],
	[mediaRecord(7, MARKER)],
	[
		{ new: 1, type: 'MediaSource', in: { type: 'frames', video: {} } },
		{ new: 2, type: 'FrameWriter', in: { source: 1 } },
		...Array.from({ length: 50 }, () => mediaRecord(2, MARKER.repeat(20))),
	],
	[
		{ new: 1, type: 'MediaSource', in: { type: 'file', source: `/nowhere/${MARKER}`, video: {} } },
		{ call: 1, on: 1, do: 'open', in: {} },
	],
	[
		{
			new: 1,
			type: 'MediaSource',
			in: { type: 'url', source: `https://${MARKER}:${MARKER}@127.0.0.1/${MARKER}`, video: {} },
		},
		{ call: 1, on: 1, do: 'open', in: {} },
	],
	[
		{ new: 1, type: 'IceTransport', in: ice },
		{ call: 1, on: 1, do: 'gather', in: {} },
		{ call: 2, on: 1, do: 'start', in: remote },
		{ call: 3, on: 1, do: 'addRemoteCandidate', in: { candidate: `candidate:${MARKER} x`, usernameFragment: MARKER } },
	],
	[{ new: 1, type: 'Certificate', in: { algorithm: 'ECDSA', pem: `-----BEGIN ${MARKER}-----` } }],
];

test('no token, key, password, description or byte of a frame is in the log, whatever is sent', async () => {
	const keys: string[] = [];
	const log = await logOf({ logLevel: 'debug' }, async (bridge) => {
		for (const frames of SENT) keys.push(await session(bridge, frames, { client: `client ${TOKEN}` }));
		const resume = { session: MARKER, key: `${MARKER}-key`, received: 0 };
		assert.is(await firstFrame(bridge, { hello: { version: 1, token: TOKEN, resume } }), 4004);
		assert.is(await firstFrame(bridge, { hello: { version: 1, token: `${MARKER}-token` } }), 4001);
		assert.is(await firstFrame(bridge, { hello: { version: MARKER, token: TOKEN } }), 4002);
		assert.is(await firstFrame(bridge, { [MARKER]: TOKEN }), 4000);
		const page = new Client(`${bridge.url}/?token=${TOKEN}`, { origin: `https://${TOKEN}.example` });
		assert.is(await rejection(page.opened), '403');
	});
	const text = JSON.stringify(log);
	for (const secret of [TOKEN, MARKER, ...keys]) {
		const lines = log.map((each) => JSON.stringify(each));
		assert.equal(
			lines.filter((line) => line.includes(secret)),
			[],
		);
	}
	const kinds = new Set(log.map(({ kind }) => kind));
	for (const kind of ['session-began', 'session-ended', 'session-broke', 'hello-refused', 'refused']) {
		assert.ok(kinds.has(kind), `${kind} is not logged`);
	}
	assert.match(text, /a session of client \[secret\] began/);
});

test('a session that breaks the protocol is told with its id and code, and who knocks with its address', async () => {
	const log = await logOf({}, async (bridge) => {
		await session(bridge, ['nonsense']);
		assert.is(await firstFrame(bridge, { call: 1 }), 4000);
	});
	const [broke, refused, ...more] = log;
	assert.equal(more, []);
	assert.is(broke!.kind, 'session-broke');
	assert.match(broke!.message, /^a session ended: a text frame that is none of the protocol's/);
	assert.match(String(broke!.fields!.session), /^[0-9a-f]{8}$/);
	assert.is(broke!.fields!.code, 4000);
	assert.equal(refused, {
		level: 'warn',
		source: 'bridge',
		kind: 'hello-refused',
		message: 'no session: the first frame is not a hello',
		fields: { address: '127.0.0.1', code: 4000 },
	});
});

test('first frames that are no hello are a line a minute, and the number of the others', async () => {
	const log = await logOf({}, async (bridge) => {
		for (let guess = 0; guess < 100; guess++) {
			await firstFrame(bridge, { call: guess });
		}
	});
	assert.is(log.length, 2);
	assert.is(log[1]!.message, 'and 99 more of these: hello-refused');
});

/** Python runs it in the worker before anything else. */
const LOUD = `
import logging, os, threading, time
def flood():
    time.sleep(3)
    os.write(2, b"Assertion failed: ${MARKER}\\n" + b"x" * 9_000_000 + b"\\n")
    for i in range(20_000):
        logging.getLogger("aioice.ice").warning("a traceback %d", i)
    for i in range(1_000):
        os.write(2, b"native %d\\n" % i)
threading.Thread(target=flood, daemon=True).start()
`;

test('a worker that prints without end, a library of it too, serves on and fills no log', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'aiortc-loud-'));
	writeFileSync(join(folder, 'sitecustomize.py'), LOUD);
	try {
		await withEnvironment({ PYTHONPATH: folder }, async () => {
			const log = await logOf({}, async (bridge, told) => {
				const printed = () => told.filter(({ kind }) => kind === 'worker-output').length >= PER_KIND;
				assert.ok(await within(15_000, printed));
				await session(bridge, []);
			});
			const of = (kind: string) => log.filter((each) => each.kind === kind);
			// The worker itself tells no more of them; what it left out it says at its end, or at the minute's.
			assert.ok(of('aioice').length <= PER_KIND + 1, `${of('aioice').length}`);
			assert.ok(of('aioice').every(({ level, source }) => level === 'warn' && source === 'worker'));
			assert.is(of('worker-output')[0]!.message, `Assertion failed: ${MARKER}`);
			assert.is(of('worker-output')[0]!.level, 'error');
			assert.is(of('worker-output').length, PER_KIND + 1);
			assert.ok(log.every(({ message }) => message.length <= 500));
			assert.is(of('worker-died').length, 0);
		});
	} finally {
		rmSync(folder, { recursive: true });
	}
});

for (const [signal, kind] of [
	['SIGKILL', 'worker-died'],
	['SIGSTOP', 'worker-hangs'],
] as const) {
	test(`the end of a worker by ${signal} is one line: ${kind}`, async () => {
		const log = await logOf({}, async (bridge) => {
			const [worker] = childrenOf();
			process.kill(worker!, signal);
			assert.ok(await within(15_000, () => !isAlive(worker!)));
			const client = new Client(bridge.url);
			// It has a session when the pool has seen the end of the first worker.
			await client.hello(TOKEN);
			await client.end();
		});
		const ends = log.filter(({ level }) => level === 'error').map((each) => each.kind);
		assert.equal(ends, [kind]);
	});
}

const secrets = { AIORTC_SHIM_TOKEN: TOKEN, CLOUD_SECRET_KEY: MARKER };

test('a worker has none of the secrets of the bridge’s environment', () =>
	withEnvironment({ ...secrets, LC_TIME: 'C' }, async () => {
		await logOf({}, async () => {
			const [worker] = childrenOf();
			const variables = readFileSync(`/proc/${worker}/environ`, 'utf8').split('\0');
			assert.ok(variables.includes(`PATH=${process.env.PATH}`));
			assert.ok(variables.includes('LC_TIME=C'));
			for (const secret of [TOKEN, MARKER]) assert.not(variables.join().includes(secret));
		});
	}));

test('what makes the Python environment has mirrors and proxies of the environment, and not the token', () =>
	withEnvironment({ ...secrets, PIP_INDEX_URL: 'https://mirror.example', PIP_USER: '1' }, async () => {
		const print = 'import os; print(sorted(os.environ))';
		const [python] = (await run('python3', ['-c', 'import sys; print(sys.executable)'], 10_000)).output.split('\n');
		for (const { output } of [
			await run(python!, ['-c', print], 10_000),
			await runSupervised(python!, [python!, '-c', print], { without: ['PIP_USER'] }),
		]) {
			assert.match(output, /'PIP_INDEX_URL'/);
			assert.not.match(output, /AIORTC_SHIM_TOKEN/);
		}
	}));

test.run();
