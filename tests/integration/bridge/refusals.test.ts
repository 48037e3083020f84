/** A bridge that refuses says why, and the shim says so at once, in the bridge's own words. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bridge, startBridge } from '../../../bridge/server.ts';
import { createShim } from '../../../entries/node.ts';
import type { LogRecord } from '../../../shim/link/log.ts';
import { Client, rejection } from './client.ts';

let bridge: Bridge;
const told: LogRecord[] = [];

test.before(async () => {
	bridge = await startBridge({ spares: 0, workers: 1, log: (record) => told.push(record) });
});

test.after(() => bridge.close());

/** What a shim says of a server, and after how many milliseconds. */
async function failure(url: string): Promise<{ error: DOMException; lasted: number; log: LogRecord[] }> {
	const log: LogRecord[] = [];
	const shim = createShim({ url, token: 'a token', log: (record) => log.push(record) });
	const started = performance.now();
	const error = await shim.ready.then(
		() => assert.unreachable('the session began'),
		(error: DOMException) => error,
	);
	const lasted = performance.now() - started;
	await shim.close();
	return { error: error as DOMException, lasted, log };
}

/** A server that opens no WebSocket. */
async function refusing(status: number, body: string, type = 'text/plain'): Promise<Server & { url: string }> {
	const server = createServer();
	server.on('upgrade', (_, socket) => {
		socket.end(
			`HTTP/1.1 ${status} No\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
		);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return Object.assign(server, { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

test('a bridge under a name that is not its own says at once which option lets the name in', async () => {
	const url = `ws://0.0.0.0:${bridge.port}`;
	const { error, lasted } = await failure(url);
	assert.is(
		error.message,
		`${url} refused the connection: The Host 0.0.0.0 is not one of this bridge's: start it with --name 0.0.0.0 (HTTP 421)`,
	);
	assert.ok(lasted < 1000, `${lasted} ms`);
});

test('a refused connection ends though its other end stays open', async () => {
	const socket = connect({ host: '127.0.0.1', port: bridge.port, allowHalfOpen: true });
	const closed = new Promise((resolve) => socket.once('close', resolve));
	const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==';
	socket.write(`GET / HTTP/1.1\r\nHost: evil.example\r\n${upgrade}\r\n\r\n`);
	let answer = '';
	socket.on('data', (chunk) => {
		answer += chunk;
	});
	socket.on('error', () => {});
	await once(socket, 'end');
	assert.match(answer, /^HTTP\/1\.1 421 .*--name evil\.example$/s);
	// Who is gone resets what still comes; who waits for our end takes it.
	const writing = setInterval(() => socket.write('anything'), 50);
	const open = new Promise((resolve) => setTimeout(resolve, 2_000, 'open'));
	const outcome = await Promise.race([closed, open]);
	clearInterval(writing);
	socket.destroy();
	assert.is.not(outcome, 'open');
});

test('a foreign Origin is named in the bridge’s log, once, with the option that lets it in', async () => {
	told.length = 0;
	for (const origin of ['https://app.example:8443', 'https://app.example:8443', 'https://a;reboot.example']) {
		const client = new Client(bridge.url, { origin });
		assert.is(await rejection(client.opened), '403');
	}
	const record = (message: string) => ({
		level: 'warn',
		source: 'bridge',
		kind: 'refused',
		message: `refused with 403: ${message}`,
		fields: { address: '127.0.0.1' },
	});
	assert.equal(told, [
		record(
			'Pages of https://app.example:8443 may not connect: start the bridge with --origin https://app.example:8443',
		),
		record('Pages of https://a;reboot.example may not connect: start the bridge with --origin'),
	]);
});

test('a page’s WebSocket is let in when the bridge has the option that its log named', async () => {
	const [, origin] = / --origin (\S+)$/.exec(told[0]!.message)!;
	const other = await startBridge({ spares: 0, workers: 1, origins: [origin!] });
	const client = new Client(other.url, { origin: origin! });
	await client.hello(other.token);
	await client.end();
	await other.close();
});

for (const status of [400, 401, 403, 421]) {
	test(`${status} is reported within a second, with the server’s reason`, async () => {
		const server = await refusing(status, 'The cat sits on the bridge');
		const { error, lasted } = await failure(server.url);
		server.close();
		assert.is(error.name, 'InvalidStateError');
		assert.is(error.message, `${server.url} refused the connection: The cat sits on the bridge (HTTP ${status})`);
		assert.is((error.cause as { status: number }).status, status);
		assert.ok(lasted < 1000, `${lasted} ms`);
	});
}

test('503 is logged at once, tried for a while, and then reported with the server’s reason', async () => {
	const server = await refusing(503, 'Too many');
	const { error, lasted, log } = await failure(server.url);
	server.close();
	assert.is(error.message, `${server.url} refused the connection: Too many (HTTP 503)`);
	assert.ok(lasted > 3000, `${lasted} ms`);
	assert.equal(log, [
		{ level: 'warn', source: 'shim', kind: 'bridge-unreachable', message: `${error.message}; trying for 5 s` },
	]);
});

test('of a proxy’s page of HTML its status is told', async () => {
	const server = await refusing(404, '<html>', 'text/html');
	const { error } = await failure(server.url);
	server.close();
	assert.is(error.message, `${server.url} refused the connection: No (HTTP 404)`);
});

test.run();
