/** A bridge whose places are taken: who gets one, and when. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { askBridge } from '../../../bridge/askBridge.ts';
import { DEFAULT_LIMITS } from '../../../bridge/limits.ts';
import { type Bridge, type BridgeOptions, startBridge } from '../../../bridge/server.ts';
import { createShim, type Shim } from '../../../entries/node.ts';
import { Sessions } from '../../../entries/sessions.ts';
import type { Welcome } from '../../../shim/link/hello.ts';
import type { LogRecord } from '../../../shim/link/log.ts';
import { Client, ping, rejection } from './client.ts';
import { within } from './processes.ts';

/** Runs `work` with a bridge of few places, which is closed however `work` ends. */
async function withBridge(options: BridgeOptions, work: (bridge: Bridge) => Promise<void>): Promise<void> {
	const bridge = await startBridge({ spares: 0, workers: 1, log: () => {}, ...options });
	try {
		await work(bridge);
	} finally {
		await bridge.close();
	}
}

interface Joined extends Welcome {
	client: Client;
}

async function join(bridge: Bridge, more?: object): Promise<Joined> {
	const client = new Client(bridge.url);
	return { client, ...(await client.hello(bridge.token, more)) };
}

/** Its client is gone without a word, and the bridge has noticed. */
async function crash(bridge: Bridge, { client }: Joined): Promise<void> {
	client.socket.terminate();
	await client.closed;
	// A connection that is made after the end of another is served after it.
	assert.ok((await fetch(bridge.url.replace('ws:', 'http:'))).status > 0);
}

const resume = ({ session, key }: Welcome) => ({ resume: { session, key, received: 0 } });

async function assertAlive({ client }: Joined): Promise<void> {
	client.send(ping(1));
	assert.equal(await client.take(), { reply: 1, out: {} });
}

test('64 clients that crashed do not keep the places of their token', () =>
	withBridge({}, async (bridge) => {
		const crashed: Joined[] = [];
		for (let n = 0; n < DEFAULT_LIMITS.sessions; n++) crashed.push(await join(bridge));
		for (const each of crashed) await crash(bridge, each);
		assert.is(bridge.sessions, DEFAULT_LIMITS.sessions);
		await assertAlive(await join(bridge));
		await assertAlive(await join(bridge));
		assert.is(bridge.sessions, DEFAULT_LIMITS.sessions);
		for (const each of crashed.slice(0, 2))
			assert.match(await rejection(join(bridge, resume(each))), /^closed with 4004/);
		assert.ok((await join(bridge, resume(crashed[2]!))).resumed);
	}));

test('a newcomer ends the session that has waited longest, and never one whose client is there', () =>
	withBridge({ limits: { sessions: 3 } }, async (bridge) => {
		const [there, first, second] = [await join(bridge), await join(bridge), await join(bridge)];
		await crash(bridge, second);
		await crash(bridge, first);
		await assertAlive(await join(bridge));
		assert.match(await rejection(join(bridge, resume(second))), /^closed with 4004/);
		await assertAlive({ ...first, ...(await join(bridge, resume(first))) });
		assert.match(await rejection(join(bridge)), /^closed with 4003 3 sessions exist/);
		await assertAlive(there);
	}));

test('a session that was taken up again is not taken for one that waits', () =>
	withBridge({ limits: { sessions: 1 } }, async (bridge) => {
		const crashed = await join(bridge);
		await crash(bridge, crashed);
		const back = await join(bridge, resume(crashed));
		assert.match(await rejection(join(bridge)), /^closed with 4003/);
		await assertAlive(back);
	}));

test('a token takes no place of another', () => {
	const access = ['a', 'b'].map((letter) => ({ token: letter.repeat(16), capabilities: [], limits: DEFAULT_LIMITS }));
	return withBridge({ access, isolation: 'session', workers: 1 }, async (bridge) => {
		await crash(bridge, await join(bridge));
		const other = new Client(bridge.url);
		assert.match(await rejection(other.hello(access[1]!.token)), /^closed with 4003 all 1 workers serve others/);
		assert.is(bridge.sessions, 1);
	});
});

test('clients that crashed do not keep the workers that their sessions had each for itself', () =>
	withBridge({ isolation: 'session', workers: 2 }, async (bridge) => {
		for (let n = 0; n < 2; n++) await crash(bridge, await join(bridge));
		const newcomers = [await join(bridge), await join(bridge)];
		assert.match(await rejection(join(bridge)), /^closed with 4003 all 2 workers/);
		for (const each of newcomers) await assertAlive(each);
	}));

/** Runs `work` with a shim of the bridge's, and what it logs. */
async function withShim(bridge: Bridge, work: (shim: Shim, log: LogRecord[]) => Promise<void>): Promise<void> {
	const log: LogRecord[] = [];
	const shim = createShim({ url: bridge.url, token: bridge.token, log: (record) => log.push(record) });
	try {
		await work(shim, log);
	} finally {
		await shim.close();
	}
}

const FULL = '1 sessions exist; no more are allowed to this token; to raise it: --limit sessions=NUMBER of the bridge';

for (const [what, options, reason] of [
	['a token', { limits: { sessions: 1 } }, FULL],
	['a pool', { isolation: 'session' }, 'all 1 workers serve others; try again later'],
] as const) {
	test(`a program waits for a place of ${what} that is full, says so once, and goes on when there is one`, () =>
		withBridge(options, async (bridge) => {
			const { client } = await join(bridge);
			await withShim(bridge, async (shim, log) => {
				const connection = new shim.RTCPeerConnection();
				connection.createDataChannel('chat');
				let offered = false;
				const offering = connection.createOffer().then(() => {
					offered = true;
				});
				offering.catch(() => {});
				assert.ok(await within(5_000, () => log.length > 0));
				await new Promise((resolve) => setTimeout(resolve, 1_500));
				assert.not(offered);
				assert.equal(log, [
					{ level: 'warn', source: 'shim', kind: 'bridge-unreachable', message: `${reason} (4003); trying for 60 s` },
				]);
				await client.end();
				await Promise.all([offering, shim.ready]);
				connection.close();
				assert.is(log.length, 1);
			});
		}));
}

test('who gives up a full bridge says what the bridge said', () =>
	withBridge({ limits: { sessions: 1 } }, async (bridge) => {
		await join(bridge);
		const connect = () => ({ url: bridge.url, token: bridge.token });
		const sessions = new Sessions({ connect, roomSeconds: () => 1, log: () => {} });
		const alive = setInterval(() => {}, 1_000);
		try {
			const reason = await sessions.ready().catch((error: DOMException) => error);
			assert.instance(reason, DOMException);
			assert.is((reason as DOMException).name, 'InvalidStateError');
			assert.match((reason as DOMException).message, `${FULL} (4003)`);
		} finally {
			clearInterval(alive);
			await sessions.close();
		}
	}));

test('the doctor says at once that a bridge is full', () =>
	withBridge({ limits: { sessions: 1 } }, async (bridge) => {
		await join(bridge);
		const started = performance.now();
		assert.match(await rejection(askBridge(bridge.url, bridge.token)), /^1 sessions exist/);
		assert.ok(performance.now() - started < 5_000);
	}));

test('a shim that gets one of two sessions does not wait for the other, and makes its connections there', () =>
	withBridge({ limits: { sessions: 1 } }, async (bridge) => {
		const shim = createShim({ url: bridge.url, token: bridge.token, sessions: 2, log: () => {} });
		try {
			const started = performance.now();
			const connections = Array.from({ length: 2 }, () => new shim.RTCPeerConnection());
			const outcomes = await Promise.allSettled(
				connections.map((connection) => {
					connection.createDataChannel('chat');
					return connection.createOffer();
				}),
			);
			assert.equal(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
			assert.ok(performance.now() - started < 30_000);
			const next = new shim.RTCPeerConnection();
			next.createDataChannel('chat');
			await next.createOffer();
			for (const each of [...connections, next]) each.close();
		} finally {
			await shim.close();
		}
	}));

test.run();
