/** Connections of nobody in particular: they cost the bridge little, and others nothing. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bridge, startBridge } from '../../../bridge/server.ts';
import type { LogRecord } from '../../../shim/link/log.ts';
import { Client, ping, rejection } from './client.ts';
import { within } from './processes.ts';

/** More than a bridge has places for connections that have not said hello. */
const MANY = 600;
const UPGRADE =
	'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n';
const request = (host: string) =>
	`GET / HTTP/1.1\r\nHost: ${host}\r\n${UPGRADE}Sec-WebSocket-Protocol: aiortc-shim.v1\r\n\r\n`;

interface World {
	readonly bridge: Bridge;
	readonly told: LogRecord[];
	/** Opens a connection from that address of this machine, which ends with the test. */
	stranger(from?: string): Promise<Socket>;
}

/** Runs `work` with a bridge and whoever comes to it; all of them are gone however it ends. */
async function withWorld(work: (world: World) => Promise<void>): Promise<void> {
	const told: LogRecord[] = [];
	const strangers: Socket[] = [];
	const limits = { sessions: 300 };
	const bridge = await startBridge({ spares: 0, workers: 1, limits, log: (record) => told.push(record) });
	const stranger = async (from = '127.0.0.1') => {
		const socket = connect({ host: '127.0.0.1', port: bridge.port, localAddress: from, allowHalfOpen: true });
		strangers.push(socket);
		await once(socket, 'connect');
		socket.on('error', () => {});
		return socket;
	};
	try {
		await bridge.ready;
		await work({ bridge, told, stranger });
	} finally {
		// Who stays must not keep it: a test says so, and this one goes on.
		const closing = bridge.close();
		await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, 5_000).unref())]);
		for (const socket of strangers) socket.destroy();
		await closing;
	}
}

/** WebSockets that never say hello, in the order in which they came; a hundred at once, since each has 5 s. */
async function silent(world: World, count: number, from: (index: number) => string): Promise<Socket[]> {
	const sockets: Socket[] = [];
	for (let first = 0; first < count; first += 100) {
		const batch = Array.from({ length: Math.min(100, count - first) }, (_, n) => silentOne(world, from(first + n)));
		sockets.push(...(await Promise.all(batch)));
	}
	return sockets;
}

async function silentOne({ stranger }: World, from: string): Promise<Socket> {
	const socket = await stranger(from);
	socket.write(request('127.0.0.1'));
	const [answer] = await once(socket, 'data');
	assert.match(answer.toString(), /^HTTP\/1\.1 101 /);
	return socket;
}

function comer(bridge: Bridge, localAddress = '127.0.0.1'): Client {
	return new Client(bridge.url, { localAddress });
}

async function assertServed(bridge: Bridge, from?: string): Promise<void> {
	const client = comer(bridge, from);
	await client.hello(bridge.token);
	client.send(ping(1));
	assert.equal(await client.take(), { reply: 1, out: {} });
	await client.end();
}

const isOpen = (socket: Socket) => !socket.readableEnded && !socket.destroyed;

test('a request whose headers do not end, and a connection that says nothing, are closed after some 5 s', () =>
	withWorld(async ({ stranger }) => {
		const [half, mute, slow] = [await stranger(), await stranger(), await stranger()];
		half.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n');
		const writing = setInterval(() => slow.write('x'), 500);
		try {
			for (const socket of [half, mute, slow]) socket.resume();
			assert.ok(await within(15_000, () => ![half, mute, slow].some(isOpen)));
		} finally {
			clearInterval(writing);
		}
	}));

test('80 sockets without hello keep out nobody, of their own address or another', () =>
	withWorld(async (world) => {
		const sockets = await silent(world, 80, () => '127.0.0.2');
		await assertServed(world.bridge, '127.0.0.2');
		await assertServed(world.bridge, '127.0.0.3');
		assert.is(sockets.filter(isOpen).length, 80);
	}));

test('an address that opens more than there is room for closes its own, the oldest first, and the log says so once', () =>
	withWorld(async (world) => {
		const { bridge, told } = world;
		const few = await silent(world, 3, () => '127.0.0.3');
		const crowd = await silent(world, MANY, () => '127.0.0.2');
		for (const from of ['127.0.0.2', '127.0.0.3', '127.0.0.4']) await assertServed(bridge, from);
		assert.ok(few.every(isOpen));
		const first = crowd.findIndex(isOpen);
		assert.ok(first > MANY - 512 && first < MANY / 2, `${first} were closed`);
		assert.ok(crowd.slice(first).every(isOpen));
		assert.is(told.length, 1);
		assert.match(told[0]!.message, /^too many connections .* \(from 127\.0\.0\.2\)$/);
	}));

test('who is closed for others hears why, in a code after which a shim comes again; a session is not', () =>
	withWorld(async (world) => {
		const member = comer(world.bridge, '127.0.0.2');
		await member.hello(world.bridge.token);
		const client = comer(world.bridge, '127.0.0.2');
		await client.opened;
		await silent(world, MANY, () => '127.0.0.2');
		assert.equal(await client.closed, { code: 1013, reason: 'too many connections have not said hello' });
		member.send(ping(1));
		assert.equal(await member.take(), { reply: 1, out: {} });
		await member.end();
	}));

test('a session is resumed though strangers of as many addresses as there are places are there', () =>
	withWorld(async (world) => {
		const { bridge } = world;
		const client = comer(bridge);
		const { session, key } = await client.hello(bridge.token);
		client.socket.terminate();
		await silent(world, MANY, (index) => `127.0.${1 + (index >> 7)}.${1 + (index & 127)}`);
		const back = comer(bridge);
		assert.ok((await back.hello(bridge.token, { resume: { session, key, received: 0 } })).resumed);
		await assertServed(bridge);
		await back.end();
	}));

test('200 that come at once from the address of 80 silent ones all get a session', () =>
	withWorld(async (world) => {
		await silent(world, 80, () => '127.0.0.1');
		const clients = Array.from({ length: 200 }, () => comer(world.bridge));
		await Promise.all(clients.map((client) => client.hello(world.bridge.token)));
		assert.is(world.bridge.sessions, 200);
		await Promise.all(clients.map((client) => client.end()));
	}));

/** Descriptors that this process has open. */
function descriptorCount(): number {
	return readdirSync('/proc/self/fd').length;
}

test('300 refused upgrades whose clients stay leave nothing open', () =>
	withWorld(async ({ stranger }) => {
		const before = descriptorCount();
		const sockets: Socket[] = [];
		for (let n = 0; n < 300; n++) {
			const socket = await stranger('127.0.0.2');
			socket.write(request('evil.example'));
			sockets.push(socket.resume());
		}
		// Each has one end in this process that it keeps itself.
		const left = () => descriptorCount() - before - 300;
		assert.ok(await within(5_000, () => left() <= 5), `${left()} are left`);
		assert.ok(sockets.every((socket) => !socket.destroyed));
	}));

test('close() returns though strangers of every kind stay', () =>
	withWorld(async (world) => {
		await silent(world, 50, () => '127.0.0.2');
		for (const said of [
			'',
			'GET / HTTP/1.1\r\n',
			request('evil.example'),
			'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
		]) {
			for (let n = 0; n < 20; n++) (await world.stranger('127.0.0.3')).resume().write(said);
		}
		const wrong = comer(world.bridge);
		await wrong.opened;
		for (let n = 0; n < 8; n++) wrong.send({ hello: { version: 1, token: 'wrong' } });
		const timeout = new Promise((resolve) => setTimeout(resolve, 10_000, 'late').unref());
		assert.is(await Promise.race([world.bridge.close(), timeout]), undefined);
	}));

async function guess(bridge: Bridge, from: string): Promise<number> {
	const started = performance.now();
	assert.match(await rejection(comer(bridge, from).hello('wrong')), /^closed with 4001 the token is wrong/);
	return performance.now() - started;
}

test('wrong tokens are answered later and later, and told once; a right one from their address gets in', () =>
	withWorld(async ({ bridge, told }) => {
		let last = 0;
		for (let n = 0; n < 10; n++) last = await guess(bridge, '127.0.0.2');
		// After nine it is 800 ms.
		assert.ok(last >= 790, `${last} ms`);
		assert.equal(
			told.map(({ message }) => message),
			['a wrong token was shown (from 127.0.0.2)'],
		);
		const started = performance.now();
		await assertServed(bridge, '127.0.0.2');
		assert.ok(performance.now() - started >= 990, 'a right token is answered no earlier than a wrong one');
		await bridge.close();
		assert.match(
			told[1]!.message,
			/^a wrong token was shown \(in the last minute 9 more, 9 of them from 127\.0\.0\.2\)$/,
		);
	}));

test('a session is resumed from the address of wrong tokens without delay', () =>
	withWorld(async ({ bridge }) => {
		const client = comer(bridge, '127.0.0.2');
		const { session, key } = await client.hello(bridge.token);
		client.socket.terminate();
		await Promise.all(Array.from({ length: 20 }, () => guess(bridge, '127.0.0.2')));
		const later = guess(bridge, '127.0.0.2').then(() => 'wrong');
		// A third of its second: who came after it and waited as long would be answered after it.
		await new Promise((resolve) => setTimeout(resolve, 300));
		const back = comer(bridge, '127.0.0.2');
		const resumed = back.hello(bridge.token, { resume: { session, key, received: 0 } }).then(() => 'resumed');
		assert.is(await Promise.race([later, resumed]), 'resumed');
		await later;
		await back.end();
	}));

test.run();
