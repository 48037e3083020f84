import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bridge, startBridge } from '../../../bridge/server.ts';
import { Session } from '../../../shim/rpc/Session.ts';
import { Client, ping, rejection } from './client.ts';
import { within } from './processes.ts';
import { TcpProxy } from './TcpProxy.ts';

let bridge: Bridge;

test.before(async () => {
	bridge = await startBridge({ spares: 0, workers: 1, graceSeconds: 1 });
	await bridge.ready;
});

test.after(() => bridge.close());

test('a socket that is cut again and again loses no call and no reply, and repeats none', async () => {
	const patient = await startBridge({ spares: 0, workers: 1 });
	const proxy = await TcpProxy.start(patient.port);
	const session = new Session({ connect: () => ({ url: proxy.url, token: patient.token }) });
	await session.ready;
	const order: number[] = [];
	const cuts = cutOften(proxy, () => order.length);
	for (let batch = 0; batch < 10; batch++) {
		const calls = Array.from({ length: 200 }, (_, i) =>
			session.root.call('ping', {}).then(() => order.push(batch * 200 + i)),
		);
		await Promise.all(calls);
	}
	const count = cuts.stop();
	await session.close();
	proxy.close();
	await patient.close();
	assert.equal(
		order,
		Array.from({ length: 2000 }, (_, i) => i),
	);
	assert.ok(count > 4 && proxy.connections > 4, `${count} cuts, ${proxy.connections} connections`);
});

/** Cuts in the middle of the traffic, whenever a little more of it has come through. */
function cutOften(proxy: TcpProxy, progress: () => number): { stop(): number } {
	let cuts = 0;
	let last = 0;
	const timer = setInterval(() => {
		if (progress() - last < 20) return;
		last = progress();
		cuts++;
		proxy.cut();
	}, 1);
	return {
		stop() {
			clearInterval(timer);
			return cuts;
		},
	};
}

test('what the worker said while nobody listened is said to who resumes', async () => {
	const first = new Client(bridge.url);
	const { session, key } = await first.hello(bridge.token);
	first.send(ping(1));
	await first.take();
	for (let call = 2; call <= 5; call++) first.send(ping(call));
	// Not acknowledged, and perhaps never arrived.
	await new Promise((resolve) => setTimeout(resolve, 100));
	first.socket.terminate();

	const second = new Client(bridge.url);
	const welcome = await second.hello(bridge.token, { resume: { session, key, received: 1 } });
	assert.is(welcome.session, session);
	assert.is(welcome.resumed, true);
	assert.is(welcome.received, 5);
	for (let reply = 2; reply <= 5; reply++) assert.equal(await second.take(), { reply, out: {} });
	await second.end();
});

test('an acknowledgement that the cut swallowed is said again', async () => {
	const first = new Client(bridge.url);
	const { session, key } = await first.hello(bridge.token);
	for (let call = 1; call <= 5; call++) first.send(ping(call));
	for (let call = 1; call <= 5; call++) await first.take();
	assert.ok(await within(10_000, () => first.acknowledged === 5));
	first.socket.terminate();

	const second = new Client(bridge.url);
	await second.hello(bridge.token, { resume: { session, key, received: 5 } });
	assert.ok(await within(10_000, () => second.acknowledged === 5));
	await second.end();
});

test('a worker whose window was full goes on when a resume says what arrived', async () => {
	const first = new Client(bridge.url);
	const { session, key } = await first.hello(bridge.token);
	// Refusals, since they are the longest answers; none is acknowledged.
	const refused = (call: number) => ({ call, on: 0, do: 'x'.repeat(40), in: {} });
	let received = 0;
	let sent = 0;
	for (let stalled = false; !stalled; ) {
		for (let i = 0; i < 500; i++) first.send(refused(++sent));
		while (received < sent && !stalled) {
			stalled = await Promise.race([first.take().then(() => false), pause(1000).then(() => true)]);
			if (!stalled) received++;
		}
		assert.ok(sent < 50_000);
	}
	first.socket.terminate();

	const second = new Client(bridge.url);
	await second.hello(bridge.token, { resume: { session, key, received } });
	while (received < sent) assert.is((await second.take()).reply, ++received);
	await second.end();
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('a resume that claims frames which were never sent ends with a protocol error', async () => {
	const first = new Client(bridge.url);
	const { session, key } = await first.hello(bridge.token);
	const second = new Client(bridge.url);
	const resume = { session, key, received: 7 };
	assert.match(await rejection(second.hello(bridge.token, { resume })), /4000 7 frames acknowledged/);
	first.send(ping(1));
	assert.equal(await first.take(), { reply: 1, out: {} });
	await first.end();
});

test('the newest socket wins, and the older one is told', async () => {
	const first = new Client(bridge.url);
	const { session, key } = await first.hello(bridge.token);
	const second = new Client(bridge.url);
	await second.hello(bridge.token, { resume: { session, key, received: 0 } });
	assert.is((await first.closed).code, 4005);
	second.send(ping(1));
	assert.equal(await second.take(), { reply: 1, out: {} });
	await second.end();
});

test('a session is not given to who has the wrong key, or another session', async () => {
	const first = new Client(bridge.url);
	const { session, key } = await first.hello(bridge.token);
	for (const resume of [
		{ session, key: 'wrong', received: 0 },
		{ session: 'unknown', key, received: 0 },
	]) {
		const second = new Client(bridge.url);
		assert.match(await rejection(second.hello(bridge.token, { resume })), /4004/);
	}
	first.send(ping(1));
	assert.equal(await first.take(), { reply: 1, out: {} });
	await first.end();
});

test('a session is kept for its grace time, and no longer', async () => {
	const first = new Client(bridge.url);
	const { session, key } = await first.hello(bridge.token);
	first.socket.terminate();
	await new Promise((resolve) => setTimeout(resolve, 500));
	assert.is(bridge.sessions, 1);
	assert.ok(await within(1500, () => bridge.sessions === 0));
	const second = new Client(bridge.url);
	const resume = { session, key, received: 0 };
	assert.match(await rejection(second.hello(bridge.token, { resume })), /4004 .*grace time/);
});

test('a shim that says goodbye, or a page that goes away, leaves no session', async () => {
	for (const code of [1000, 1001]) {
		const client = new Client(bridge.url);
		await client.hello(bridge.token);
		assert.is(bridge.sessions, 1);
		client.socket.close(code);
		await client.closed;
		assert.ok(await within(100, () => bridge.sessions === 0));
	}
});

test.run();
