import type { IncomingMessage } from 'node:http';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { admission, checkRequest, checkSubprotocol, HelloError, parseHello } from '../../../bridge/handshake.ts';

const request = (headers: Record<string, string>) => ({ headers }) as unknown as IncomingMessage;
const gate = admission(['192.168.1.5', 'box.lan', '2001:db8::5'], ['https://good.example/']);

const hosts: [host: string, allowed: boolean][] = [
	['localhost', true],
	['localhost:80', true],
	['127.0.0.1:1234', true],
	['[::1]:1234', true],
	['192.168.1.5:1234', true],
	['BOX.lan:1', true],
	['[2001:db8::5]:1', true],
	['', false],
	['192.168.1.6', false],
	['localhost.evil.example', false],
	['localhost@evil.example', false],
	['evil.example', false],
];
for (const [host, allowed] of hosts) {
	test(`Host ${host || '(none)'} is ${allowed ? 'ours' : 'not ours'}`, () => {
		assert.is(checkRequest(request({ host }), gate)?.status, allowed ? undefined : 421);
	});
}

const origins: [origin: string, allowed: boolean][] = [
	['https://good.example', true],
	['HTTPS://GOOD.example', true],
	['http://localhost:3000', true],
	['http://[::1]:3000', true],
	['https://good.example.evil.example', false],
	['https://evil.example', false],
	['null', false],
	['', false],
];
for (const [origin, allowed] of origins) {
	test(`Origin ${origin || '(empty)'} is ${allowed ? 'let in' : 'kept out'}`, () => {
		assert.is(checkRequest(request({ host: 'localhost', origin }), gate)?.status, allowed ? undefined : 403);
	});
}

test('an Origin is not asked of what is no browser', () => {
	assert.is(checkRequest(request({ host: 'localhost' }), gate), null);
});

test('the subprotocol is found among others', () => {
	assert.is(checkSubprotocol(request({ 'sec-websocket-protocol': 'mqtt, aiortc-shim.v1' })), null);
	assert.is(checkSubprotocol(request({}))?.status, 400);
});

test('a hello is taken up to 4096 bytes', () => {
	const hello = (padding: number) =>
		Buffer.from(JSON.stringify({ hello: { version: 1, token: 't', client: 'x'.repeat(padding) } }));
	const frame = hello(0).length;
	assert.is(parseHello(hello(4096 - frame), false).token, 't');
	assert.throws(
		() => parseHello(hello(4097 - frame), false),
		(error: HelloError) => error instanceof HelloError && error.code === 4000,
	);
});

test.run();
