/** Connections that die half-open between a real bridge and a real shim; `unit/noticing` has the same in virtual time. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bridge, startBridge } from '../../../bridge/server.ts';
import { Session } from '../../../shim/rpc/Session.ts';
import { within } from './processes.ts';
import { TcpProxy } from './TcpProxy.ts';

/** 15 s for who notices, and what a busy machine makes of it: well before the 30 s of grace. */
const NOTICED_MS = 20_000;

const FAULTS: Record<string, (proxy: TcpProxy) => void> = {
	'what the shim sends is lost': (proxy) => proxy.lose('client'),
	'what the bridge sends is lost': (proxy) => proxy.lose('server'),
	'all is lost': (proxy) => proxy.lose('client', 'server'),
	'the bridge sees a FIN, the shim nothing': (proxy) => proxy.end('server', 'FIN'),
	'the bridge sees a reset, the shim nothing': (proxy) => proxy.end('server', 'RST'),
	'the shim sees a FIN, the bridge nothing': (proxy) => proxy.end('client', 'FIN'),
	'the shim sees a reset, the bridge nothing': (proxy) => proxy.end('client', 'RST'),
};

/** Milliseconds between two calls; none during the fault of those that idle. */
const PACES = { busy: 100, idle: null };

// Each waits for 15 s: all at once, in a session each.
test('a connection that dies half-open is noticed in time, and no session or call is lost', async () => {
	const bridge = await startBridge({ spares: 0, workers: 1 });
	try {
		await bridge.ready;
		const cases = Object.entries(FAULTS).flatMap(([name, fault]) =>
			Object.entries(PACES).map(([pace, every]) =>
				survive(bridge, fault, every).then((fate) => [`${name}, ${pace}`, fate]),
			),
		);
		const fates = Object.fromEntries(await Promise.all(cases));
		assert.equal(fates, Object.fromEntries(Object.keys(fates).map((name) => [name, 'survived'])));
		assert.is(Object.keys(fates).length, 14);
	} finally {
		await bridge.close();
	}
});

/** Breaks the connection of a session of its own; what became of it, in words. */
async function survive(bridge: Bridge, fault: (proxy: TcpProxy) => void, every: number | null): Promise<string> {
	const proxy = await TcpProxy.start(bridge.port);
	let lost: Error | null = null;
	const session = new Session({ connect: () => ({ url: proxy.url, token: bridge.token }) });
	session.onfailure = (error) => {
		lost = error;
	};
	try {
		await session.ready;
		const replies: number[] = [];
		let calls = 0;
		const call = () => {
			const n = ++calls;
			return session.root.call('ping', {}).then(() => replies.push(n));
		};
		await Promise.all(Array.from({ length: 50 }, call));
		fault(proxy);
		const caller = every === null ? undefined : setInterval(() => void call().catch(() => {}), every);
		const isNoticed = await within(NOTICED_MS, () => proxy.connections > 1);
		clearInterval(caller);
		if (!isNoticed) return `not noticed within ${NOTICED_MS} ms`;
		await call();
		if (lost) return `lost: ${(lost as Error).message}`;
		return replies.every((n, index) => n === index + 1) && replies.length === calls
			? 'survived'
			: `${replies} of ${calls}`;
	} finally {
		await session.close();
		proxy.close();
	}
}

test.run();
