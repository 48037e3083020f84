import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DEFAULT_LIMITS } from '../../../bridge/limits.ts';
import { type Bridge, startBridge } from '../../../bridge/server.ts';
import { Client, ping, rejection } from './client.ts';

let bridge: Bridge;

test.before(async () => {
	bridge = await startBridge({ spares: 0, workers: 1, names: ['box.lan'], origins: ['https://good.example'] });
	await bridge.ready;
});

test.after(() => bridge.close());

/** The status with which the WebSocket is refused, or 101. */
async function status(headers: Record<string, string>, protocols?: string[]): Promise<string> {
	const client = new Client(bridge.url, { headers }, protocols);
	return client.opened.then(
		async () => {
			client.socket.terminate();
			return '101';
		},
		(error: Error) => error.message,
	);
}

/** How the bridge closes after `frame`. */
async function answer(frame: string | Buffer) {
	const client = new Client(bridge.url);
	await client.opened;
	client.socket.send(frame);
	return client.closed;
}

test('a hello gets a session, and frames sent right behind it are served', async () => {
	const client = new Client(bridge.url);
	await client.opened;
	client.send({ hello: { version: 1, token: bridge.token, client: 'test' } });
	for (let call = 1; call <= 3; call++) client.send(ping(call));
	const { hello } = (await client.take()) as {
		hello: { session: string; key: string; window: number; shared: boolean };
	};
	assert.match(hello.session, /^[0-9a-f-]{36}$/);
	assert.is(hello.key.length, 43);
	assert.is(hello.window, 524288);
	assert.is(hello.shared, true);
	for (let call = 1; call <= 3; call++) assert.equal(await client.take(), { reply: call, out: {} });
	await client.end();
	assert.is(bridge.sessions, 0);
});

test('a hello that does not come within 5 s is not waited for', async () => {
	const started = performance.now();
	const client = new Client(bridge.url);
	assert.equal(await client.closed, { code: 4001, reason: 'no hello within 5 s' });
	assert.ok(performance.now() - started < 6000);
});

test('a hello larger than 4 KiB is refused', async () => {
	const hello = JSON.stringify({ hello: { version: 1, token: bridge.token, client: 'x'.repeat(4096) } });
	const { code, reason } = await answer(hello);
	assert.is(code, 4000);
	assert.match(reason, /4096 are allowed/);
});

test('a megabyte from a stranger is cut off, not gathered', async () => {
	const { code } = await answer(Buffer.alloc(1 << 20));
	assert.is(code, 1006);
});

test('a wrong token and a missing one are refused', async () => {
	assert.equal(await answer(JSON.stringify({ hello: { version: 1, token: 'wrong' } })), {
		code: 4001,
		reason: 'the token is wrong: set AIORTC_SHIM_TOKEN to one of this bridge',
	});
	assert.is((await answer(JSON.stringify({ hello: { version: 1 } }))).code, 4001);
});

test('a token in the URL is not one', async () => {
	const client = new Client(`${bridge.url}/?token=${bridge.token}`);
	await client.opened;
	client.send({ hello: { version: 1, token: '' } });
	assert.is((await client.closed).code, 4001);
});

test('another version is refused with the one that is spoken', async () => {
	const { code, reason } = await answer(JSON.stringify({ hello: { version: 2, token: bridge.token } }));
	assert.is(code, 4002);
	assert.match(reason, /version 2 .* version 1$/);
});

test('a first frame that is no hello is refused', async () => {
	const frames = ['{', '[]', '{"hello":null}', '{"call":1}', '{"hello":{"version":1,"token":"x","resume":{}}}'];
	for (const frame of [...frames, Buffer.from('{"hello":{}}')]) assert.is((await answer(frame)).code, 4000);
});

test('Host keeps out a name that was made to resolve here', async () => {
	assert.is(await status({ host: 'evil.example' }), '421');
	assert.is(await status({ host: `evil.example:${bridge.port}` }), '421');
	assert.is(await status({ host: `127.0.0.1.evil.example:${bridge.port}` }), '421');
	assert.is(await status({ host: `LOCALHOST:${bridge.port}` }), '101');
	assert.is(await status({ host: 'box.lan' }), '101');
});

test('Origin keeps out pages that were not named', async () => {
	assert.is(await status({ origin: 'https://evil.example' }), '403');
	assert.is(await status({ origin: 'https://localhost.evil.example' }), '403');
	assert.is(await status({ origin: 'null' }), '403');
	assert.is(await status({ origin: 'http://good.example' }), '403');
	assert.is(await status({ origin: 'https://good.example' }), '101');
	assert.is(await status({ origin: 'http://localhost:3000' }), '101');
});

test('a client of another subprotocol is told which is spoken', async () => {
	assert.is(await status({}, ['mqtt']), '400');
});

test('plain HTTP learns that this is a bridge, if it may ask', async () => {
	const url = bridge.url.replace('ws:', 'http:');
	assert.is((await fetch(`${url}/health`)).status, 200);
	const other = await fetch(url);
	assert.is(other.status, 426);
	assert.match(await other.text(), /aiortc-shim\.v1/);
	const page = await fetch(`${url}/health`, { headers: { origin: 'https://evil.example' } });
	assert.is(page.status, 403);
});

test('tokens have their own limits and capabilities', async () => {
	const access = [
		{ token: 'a'.repeat(16), capabilities: ['file' as const], limits: { ...DEFAULT_LIMITS, sessions: 1 } },
		{ token: 'b'.repeat(16), capabilities: [], limits: { ...DEFAULT_LIMITS, framesPerSecond: 20 } },
	];
	const own = await startBridge({ access, workers: 1, spares: 0 });
	const first = new Client(own.url);
	assert.equal((await first.hello(access[0]!.token)).capabilities, ['file']);

	const second = new Client(own.url);
	assert.match(await rejection(second.hello(access[0]!.token)), /4003 1 sessions exist/);

	const other = new Client(own.url);
	assert.equal((await other.hello(access[1]!.token)).capabilities, []);
	for (let call = 0; call < 100; call++) other.send(ping(call));
	assert.equal(await other.closed, {
		code: 4003,
		reason: 'more than 20 frames a second; to raise it: --limit framesPerSecond=NUMBER of the bridge',
	});

	first.send(ping(1));
	assert.equal(await first.take(), { reply: 1, out: {} });
	await own.close();
	assert.is((await first.closed).code, 4007);
});

test('beyond loopback a short token is not accepted', async () => {
	assert.match(await rejection(startBridge({ host: '0.0.0.0', token: 'short' })), /16 characters/);
});

test('a bridge that listens at all addresses is called by the first that it is known by', async () => {
	const urls: string[] = [];
	for (const known of [{}, { names: ['box.lan'], announce: ['203.0.113.5'] }, { announce: ['2001:db8::5'] }]) {
		const own = await startBridge({ host: '0.0.0.0', workers: 1, spares: 0, ...known });
		urls.push(own.url.replace(/\d+$/, 'port'));
		// Its worker is on the way.
		await own.ready;
		await own.close();
	}
	assert.equal(urls, ['ws://localhost:port', 'ws://box.lan:port', 'ws://[2001:db8::5]:port']);
});

test('what is not of the protocol ends its session, and no other', async () => {
	const bystander = new Client(bridge.url);
	await bystander.hello(bridge.token);
	for (const frame of ['nonsense', '{"hello":{"version":1}}', '{"ack":99}', '{"ack":-1}', '{"ping":"x"}']) {
		const client = new Client(bridge.url);
		await client.hello(bridge.token);
		client.send(frame);
		const { code, reason } = await client.closed;
		assert.is(code, 4000, frame);
		assert.ok(reason.length > 0);
	}
	const large = new Client(bridge.url);
	await large.hello(bridge.token);
	large.socket.send(Buffer.alloc(DEFAULT_LIMITS.frame + 1));
	assert.is((await large.closed).code, 4003);

	bystander.send(ping(1));
	assert.equal(await bystander.take(), { reply: 1, out: {} });
	await bystander.end();
	assert.is(bridge.sessions, 0);
});

test('why a session ends arrives although more frames follow the bad one, and none of its bytes', async () => {
	const secret = 'a password';
	const deep = `{"new":1,"type":"Certificate","in":${'['.repeat(5_000)}${']'.repeat(5_000)}}`;
	for (const bad of ['nonsense', deep, JSON.stringify({ call: secret, on: 0, do: 'ping' }), `{"${secret}":1}`]) {
		for (let round = 0; round < 10; round++) {
			const client = new Client(bridge.url);
			await client.hello(bridge.token);
			client.send(bad);
			for (let more = 1; more < 200; more++) client.send(ping(more));
			const { code, reason } = await client.closed;
			assert.is(code, 4000, bad.slice(0, 80));
			assert.match(reason, /text frame/);
			assert.not(reason.includes(secret));
		}
	}
});

test('a ping is answered', async () => {
	const client = new Client(bridge.url);
	await client.hello(bridge.token);
	client.send('{"ping":7}');
	assert.equal(await client.take(), { pong: 7 });
	await client.end();
});

test.run();
