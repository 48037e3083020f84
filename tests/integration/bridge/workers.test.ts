import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_LIMITS } from '../../../bridge/limits.ts';
import { ensurePython } from '../../../bridge/python.ts';
import { type Bridge, startBridge } from '../../../bridge/server.ts';
import { SOCKET_NAME, socketRoot } from '../../../bridge/worker.ts';
import { Client, ping, rejection } from './client.ts';
import { childrenOf, isAlive, socketFolders, within } from './processes.ts';

const root = join(import.meta.dirname, '../../..');
const quiet = { log: () => {} };

type Work = (bridge: Bridge) => Promise<void>;

/** Runs `work` with a bridge that has a worker; the bridge is closed however `work` ends, and nothing of it may be left. */
function withBridge(options: Parameters<typeof startBridge>[0], work: Work) {
	return withStarting(options, async (bridge) => {
		await bridge.ready;
		await work(bridge);
	});
}

/** The same with a bridge whose first workers are still starting. */
async function withStarting(options: Parameters<typeof startBridge>[0], work: Work) {
	const bridge = await startBridge({ ...quiet, ...options });
	try {
		await work(bridge);
	} finally {
		await bridge.close();
	}
	assert.equal(childrenOf(), []);
	assert.equal(socketFolders(), []);
	assert.match(await rejection(fetch(bridge.url.replace('ws:', 'http:'))), /fetch failed/);
}

async function connected(bridge: Bridge, token = bridge.token): Promise<Client> {
	const client = new Client(bridge.url);
	await client.hello(token);
	return client;
}

test('a worker that is killed ends its sessions with 4006, and the next session works', () =>
	withBridge({ workers: 1, spares: 0 }, async (bridge) => {
		const client = await connected(bridge);
		const [worker] = childrenOf();
		process.kill(worker!, 'SIGKILL');
		assert.equal(await client.closed, { code: 4006, reason: 'the worker died' });

		const next = await connected(bridge);
		next.send(ping(1));
		assert.equal(await next.take(), { reply: 1, out: {} });
		assert.ok(!childrenOf().includes(worker!));
	}));

test('a session that is asked for in the moment of a worker’s death gets another worker', () =>
	withBridge({ workers: 1, spares: 0 }, async (bridge) => {
		await connected(bridge);
		for (let round = 0; round < 3; round++) {
			process.kill(childrenOf()[0]!, 'SIGKILL');
			const next = await connected(bridge);
			next.send(ping(1));
			assert.equal(await next.take(), { reply: 1, out: {} });
		}
	}));

test('a worker that hangs is killed, its session told why, and sessions elsewhere go on', () =>
	withBridge({ workers: 2, spares: 0 }, async (bridge) => {
		const [hanging, other] = [await connected(bridge), await connected(bridge)];
		const [stopped] = childrenOf();
		process.kill(stopped!, 'SIGSTOP');
		const ended = Promise.race([hanging.closed, other.closed]);
		const asking = [hanging, other].map(async (client) => {
			for (let call = 1; ; call++) {
				client.send(ping(call));
				if (!(await client.take())) return;
				await new Promise((resolve) => setTimeout(resolve, 100));
			}
		});
		for (const each of asking) each.catch(() => {});
		assert.equal(await ended, { code: 4006, reason: 'the worker hung, and was killed' });
		assert.ok(await within(1000, () => !isAlive(stopped!)));
		const alive = [hanging, other].filter(({ socket }) => socket.readyState === socket.OPEN);
		assert.is(alive.length, 1);
		const next = await connected(bridge);
		next.send(ping(1));
		assert.equal(await next.take(), { reply: 1, out: {} });
	}));

test('a worker that is about to be found hanging gets no new session while there is room', () =>
	withBridge({ workers: 2, spares: 0 }, async (bridge) => {
		const first = await connected(bridge);
		const [stopped] = childrenOf();
		await first.end();
		process.kill(stopped!, 'SIGSTOP');
		await new Promise((resolve) => setTimeout(resolve, 3_500));
		const connecting = connected(bridge);
		const anotherStarts = () => childrenOf().some((pid) => pid !== stopped && isAlive(stopped!));
		assert.ok(await within(1_400, anotherStarts), 'it was not waited for');
		const next = await connecting;
		next.send(ping(1));
		assert.equal(await next.take(), { reply: 1, out: {} });
	}));

test('a worker that cannot take connections any more is not placed again', () =>
	withBridge({ workers: 2, spares: 0 }, async (bridge) => {
		const first = await connected(bridge);
		const [deaf] = childrenOf();
		await first.end();
		// Its event loop turns, and answers what it is asked; it has no file descriptor for another connection.
		execFileSync('prlimit', ['--pid', `${deaf}`, '--nofile=3:3']);
		const next = await connected(bridge);
		next.send(ping(1));
		assert.equal(await next.take(), { reply: 1, out: {} });
		assert.ok(await within(8_000, () => !isAlive(deaf!)));
	}));

test('a spare that was passed over for its silence, and speaks again, ends with the bridge', () =>
	withBridge({ workers: 2, spares: 1 }, async (bridge) => {
		const [spare] = childrenOf();
		process.kill(spare!, 'SIGSTOP');
		await new Promise((resolve) => setTimeout(resolve, 3_500));
		await connected(bridge);
		process.kill(spare!, 'SIGCONT');
	}));

test('a spare that is killed is replaced', () =>
	withBridge({ workers: 2, spares: 1 }, async () => {
		const [spare] = childrenOf();
		process.kill(spare!, 'SIGKILL');
		assert.ok(await within(5000, () => childrenOf().length === 1 && childrenOf()[0] !== spare));
	}));

test('with isolation by session no two share a worker, and a worker ends with its session', () =>
	withBridge({ isolation: 'session', workers: 2, spares: 0 }, async (bridge) => {
		const first = await connected(bridge);
		const second = await connected(bridge);
		assert.is(childrenOf().length, 2);
		assert.match(await rejection(connected(bridge)), /4003 all 2 workers serve others/);
		const before = childrenOf();
		await first.end();
		assert.ok(await within(3000, () => before.some((pid) => !isAlive(pid))));
		await connected(bridge);
		second.send(ping(1));
		assert.equal(await second.take(), { reply: 1, out: {} });
	}));

test('with isolation by token, sessions of one share a worker and sessions of two do not', () => {
	const [a, b] = ['a', 'b'].map((letter) => ({
		token: letter.repeat(16),
		capabilities: [],
		limits: DEFAULT_LIMITS,
	}));
	return withBridge({ isolation: 'token', workers: 2, spares: 0, access: [a!, b!] }, async (bridge) => {
		await connected(bridge, a!.token);
		await connected(bridge, b!.token);
		assert.is(childrenOf().length, 2);
		await connected(bridge, a!.token);
		assert.is(childrenOf().length, 2);
	});
});

test('a token that opens many sessions leaves a worker for each of the others', () => {
	const access = ['a', 'b', 'c'].map((letter) => ({
		token: letter.repeat(16),
		capabilities: [],
		limits: DEFAULT_LIMITS,
	}));
	return withBridge({ isolation: 'token', workers: 4, spares: 0, access }, async (bridge) => {
		for (let count = 0; count < 6; count++) await connected(bridge, access[0]!.token);
		assert.is(childrenOf().length, 2, 'more than one are its own while there are enough');
		for (const { token } of access.slice(1)) {
			const late = await connected(bridge, token);
			late.send(ping(1));
			assert.equal(await late.take(), { reply: 1, out: {} });
		}
		assert.is(childrenOf().length, 4);
	});
});

test('shared workers are filled evenly', () =>
	withBridge({ workers: 2, spares: 0 }, async (bridge) => {
		const clients = [];
		for (let i = 0; i < 4; i++) clients.push(await connected(bridge));
		assert.is(childrenOf().length, 2);
		process.kill(childrenOf()[0]!, 'SIGKILL');
		const dead = await Promise.race([
			Promise.all(clients.slice(0, 4).map((client) => client.closed)),
			new Promise((resolve) => setTimeout(resolve, 500)),
		]);
		assert.is(dead, undefined);
		assert.is(clients.filter((client) => client.socket.readyState === client.socket.CLOSED).length, 2);
	}));

const isClosed = ({ socket }: Client) => socket.readyState === socket.CLOSED;

async function sessionsAtOnce(bridge: Bridge, count: number): Promise<Client[]> {
	const clients = await Promise.all(Array.from({ length: count }, () => connected(bridge)));
	for (const client of clients) client.send(ping(1));
	for (const client of clients) assert.equal(await client.take(), { reply: 1, out: {} });
	return clients;
}

test('three sessions that come at once share two workers that are still starting', () =>
	withStarting({ workers: 2, spares: 0 }, async (bridge) => {
		const clients = await sessionsAtOnce(bridge, 3);
		assert.is(childrenOf().length, 2);
		process.kill(childrenOf()[0]!, 'SIGKILL');
		await Promise.race(clients.map(({ closed }) => closed));
		assert.ok(bridge.sessions === 1 || bridge.sessions === 2, `${bridge.sessions} sessions are left`);
	}));

test('a session that comes while the first worker starts waits for it, and starts no other', () =>
	withStarting({ workers: 2, spares: 0 }, async (bridge) => {
		await sessionsAtOnce(bridge, 1);
		assert.is(childrenOf().length, 1);
	}));

test('hundreds of sessions that come at once while a worker is busy wait for it, and it lives on', () =>
	withBridge({ workers: 1, spares: 0, limits: { sessions: 400 } }, async (bridge) => {
		const [worker] = childrenOf();
		process.kill(worker!, 'SIGSTOP');
		setTimeout(() => process.kill(worker!, 'SIGCONT'), 1_000);
		await sessionsAtOnce(bridge, 300);
		assert.equal(childrenOf(), [worker]);
	}));

test('sessions that come at once with one token share its worker, and those of another have their own', () => {
	const access = ['a', 'b'].map((letter) => ({ token: letter.repeat(16), capabilities: [], limits: DEFAULT_LIMITS }));
	return withStarting({ isolation: 'token', workers: 2, spares: 0, access }, async (bridge) => {
		const [a, b] = access.map(({ token }) => token) as [string, string];
		const clients = await Promise.all([a, b, a, b].map((token) => connected(bridge, token)));
		assert.is(childrenOf().length, 2);
		process.kill(childrenOf()[0]!, 'SIGKILL');
		assert.ok(await within(10_000, () => clients.filter(isClosed).length === 2));
		const ended = clients.map(isClosed);
		assert.ok(ended[0] === ended[2] && ended[1] === ended[3], `${ended}`);
	});
});

/** A Python whose first `failures` starts end at once. */
async function withFailing(failures: number, work: (python: string) => Promise<void>): Promise<void> {
	const folder = mkdtempSync(join(tmpdir(), 'failing-python-'));
	const python = join(folder, 'python');
	const count = `n=$(ls ${folder} | wc -l); touch ${folder}/start$n`;
	const fail = `[ $n -le ${failures} ] && { sleep 0.3; echo 'no memory' >&2; exit 3; }`;
	writeFileSync(python, `#!/bin/sh\n${count}\n${fail}\nexec ${await ensurePython()} "$@"\n`, { mode: 0o755 });
	try {
		await work(python);
	} finally {
		rmSync(folder, { recursive: true });
	}
}

test('sessions whose worker fails to start get the next one', () =>
	withFailing(1, (python) =>
		withStarting({ workers: 1, spares: 0, python }, async (bridge) => {
			const [reason] = await Promise.all([rejection(bridge.ready), sessionsAtOnce(bridge, 4)]);
			assert.match(reason, /no memory/);
			assert.is(childrenOf().length, 1);
		}),
	));

test('sessions that wait for a worker are told why none of two starts', () =>
	withFailing(1_000, (python) =>
		withStarting({ workers: 1, spares: 0, python }, async (bridge) => {
			bridge.ready.catch(() => {});
			const answers = await Promise.all([1, 2, 3].map(() => rejection(connected(bridge))));
			for (const answer of answers) assert.match(answer, /^closed with 4006 the worker did not start: .*status 3/);
		}),
	));

test('a Python that cannot be run is reported, and nothing is left', async () => {
	const bridge = await startBridge({ ...quiet, python: '/nonexistent/python' });
	assert.match(await rejection(bridge.ready), /nonexistent/);
	await bridge.close();
	assert.equal(socketFolders(), []);
});

test('a worker that does not start says in one line why', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'workers-'));
	const python = join(folder, 'python');
	const script = '#!/bin/sh\necho Traceback: >&2\necho ImportError: libssl.so.3 >&2\nexit 1\n';
	writeFileSync(python, script, { mode: 0o755 });
	const bridge = await startBridge({ ...quiet, python });
	try {
		const [first] = (await rejection(bridge.ready)).split('\n');
		assert.is(first, 'the worker did not start: it ended with status 1: ImportError: libssl.so.3');
	} finally {
		await bridge.close();
		rmSync(folder, { recursive: true });
	}
});

/** A process with a bridge and one session in it; prints its worker's process id. */
function startParent() {
	const script = `
		import { startBridge } from './bridge/server.ts';
		import { Client } from './tests/integration/bridge/client.ts';
		import { childrenOf } from './tests/integration/bridge/processes.ts';
		const bridge = await startBridge({ workers: 1, spares: 0 });
		await new Client(bridge.url).hello(bridge.token);
		console.log(childrenOf()[0]);
	`;
	return spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: root, stdio: ['ignore', 'pipe', 2] });
}

async function firstLine(child: ReturnType<typeof startParent>): Promise<string> {
	const [line] = await once(createInterface({ input: child.stdout! }), 'line');
	return line;
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
	test(`a bridge that dies by ${signal} leaves no worker and no file after 2 s`, async () => {
		const parent = startParent();
		const worker = Number(await firstLine(parent));
		assert.ok(isAlive(worker));
		assert.is(socketFolders(parent.pid!).length, 1);
		parent.kill(signal);
		assert.ok(await within(2000, () => !isAlive(worker)));
		assert.ok(await within(2000, () => socketFolders(parent.pid!).length === 0));
	});
}

/** Waits until nobody listens: the last thread of a process that was killed may close its socket a little after the others. */
async function closed(path: string): Promise<void> {
	for (;;) {
		const socket = connect({ path });
		const refused = await Promise.race([
			once(socket, 'connect').then(() => false),
			once(socket, 'close').then(() => true),
		]).catch(() => true);
		socket.destroy();
		if (refused) return;
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

test('what is left when bridge and worker are killed at once, the next start removes', async () => {
	const parent = startParent();
	const worker = Number(await firstLine(parent));
	process.kill(worker, 'SIGSTOP');
	parent.kill('SIGKILL');
	await once(parent, 'exit');
	process.kill(worker, 'SIGKILL');
	assert.ok(await within(2000, () => !isAlive(worker)));
	const [folder] = socketFolders(parent.pid!);
	assert.ok(folder);
	await closed(join(socketRoot(), folder, SOCKET_NAME));
	await withBridge({ workers: 1 }, async () => {
		assert.ok(await within(10_000, () => socketFolders(parent.pid!).length === 0));
	});
});

test.run();
