/** The demo's server as a stranger meets it. */
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { io, type Socket } from 'socket.io-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Demo } from '../../demo/server.ts';
import { LIMITS } from '../../demo/sfu/limits.ts';
import { ensureMediasoupWorker } from '../../scripts/mediasoup-worker.ts';

let demo: Demo;
/** What the demo is told of the bridge. */
let bridge = async () => ({ url: 'ws://127.0.0.1:9', token: 'secret' });
const sockets: Socket[] = [];

test.before(async () => {
	const body = new TextEncoder().encode('<!doctype html><!-- shim -->');
	const page = new Map([['/', { type: 'text/html', body }]]);
	demo = await Demo.serve({ workerBin: await ensureMediasoupWorker(), port: 0, page, bridge: () => bridge() });
});

test.after.each(() => {
	for (const socket of sockets.splice(0)) socket.disconnect();
});

test.after(() => demo.close());

test('the page is served to this machine only: not under another name, not to be written', async () => {
	assert.is(await statusOf({}), 200);
	assert.is(await statusOf({ headers: { host: `rebound.example:${port()}` } }), 403);
	assert.is(await statusOf({ headers: { origin: 'http://elsewhere.example' } }), 403);
	assert.is(await statusOf({ method: 'POST' }), 405);
	assert.is(await statusOf({ path: '/../package.json' }), 404);
});

test("the bridge's token is given to this machine's page only, and that page may connect to the bridge", async () => {
	const { status, body, policy } = await get({ path: '/bridge' });
	assert.is(status, 200);
	assert.match(body, 'data-url="ws://127.0.0.1:9" data-token="secret"');
	assert.match(policy, /connect-src 'self' ws:\/\/localhost:\d+ ws:\/\/127\.0\.0\.1:9;/);
	const strangers: Record<string, string>[] = [
		{ host: `rebound.example:${port()}` },
		{ origin: 'http://elsewhere.example' },
	];
	for (const headers of strangers) {
		const refused = await get({ path: '/bridge', headers: { host: `localhost:${port()}`, ...headers } });
		assert.equal([refused.status, refused.body], [403, '']);
	}
	assert.not.match((await get({ path: '/' })).body, 'secret');
});

test('a bridge that does not start is said in the page that would use it, and tried again', async () => {
	const works = bridge;
	bridge = () => Promise.reject(new Error('no port is free'));
	const { status, body } = await get({ path: '/bridge' });
	assert.equal([status, body], [503, 'The bridge did not start: no port is free\n']);
	bridge = works;
	assert.is(await statusOf({ path: '/bridge' }), 200);
});

test('signalling is refused to a page of another origin and under another name', async () => {
	assert.is(await connects({ origin: 'http://elsewhere.example' }), false);
	assert.is(await connects({ host: `rebound.example:${port()}` }), false);
	assert.is(await connects({ origin: demo.url }), true);
});

test('a request before join, an unknown one and a misshapen one are answered with what is wrong', async () => {
	const socket = await open();
	assert.match(await refusal(socket, 'createTransport', {}), /createTransport before join/);
	assert.match(await refusal(socket, 'constructor', {}), /no request constructor/);
	assert.match(await refusal(socket, 'join', { room: '', name: 'x' }), /room: 1 to 64 characters/);
	await joined(socket, 'shapes');
	assert.match(await refusal(socket, 'join', { room: 'shapes', name: 'x' }), /joined already/);
	assert.match(await refusal(socket, 'consume', null), /request: an object/);
	assert.match(await refusal(socket, 'closeProducer', { producerId: 'x' }), /no producer x of this peer/);
	const transport = await asked(socket, 'createTransport', {});
	const produce = { transportId: transport.id, kind: 'video', rtpParameters: { codecs: 1 } };
	assert.type(await refusal(socket, 'produce', produce), 'string');
	const connect = { transportId: transport.id, dtlsParameters: { fingerprints: [{ algorithm: 'md5', value: '00' }] } };
	assert.match(await refusal(socket, 'connectTransport', connect), /fingerprint/);
});

test('a peer has a bounded number of transports, a room of peers', async () => {
	const socket = await open();
	await joined(socket, 'full');
	for (let i = 0; i < LIMITS.transportsOfPeer; i++) await asked(socket, 'createTransport', {});
	assert.match(await refusal(socket, 'createTransport', {}), /at most 4 transports/);
	for (let i = 1; i < LIMITS.peersInRoom; i++) await joined(await open(), 'full');
	assert.match(await refusal(await open(), 'join', { room: 'full', name: 'late' }), /the room is full/);
});

test('the others are told who comes and who goes, and rooms do not hear each other', async () => {
	const [anna, bert, carl] = [await open(), await open(), await open()];
	const heard: string[] = [];
	anna.on('peerJoined', ({ name }) => heard.push(`${name} came`));
	anna.on('peerLeft', ({ peerId }) => heard.push(peerId === bertId ? 'Bert left' : 'somebody left'));
	await joined(anna, 'one', 'Anna');
	const bertId = bert.id;
	const found = await joined(bert, 'one', 'Bert');
	assert.equal(
		found.peers.map(({ name }: { name: string }) => name),
		['Anna'],
	);
	await joined(carl, 'two', 'Carl');
	bert.disconnect();
	await soon(() => heard.length >= 2);
	assert.equal(heard, ['Bert came', 'Bert left']);
});

test('a peer that asks without end is put out', async () => {
	const socket = await open();
	for (let i = 0; i < LIMITS.requestBurst * 2; i++) socket.emit('restartIce', {}, () => {});
	await soon(() => !socket.connected);
});

test('a request above the size limit ends the connection, and no other', async () => {
	const [big, other] = [await open(), await open()];
	big.emit('join', { room: 'x'.repeat(LIMITS.requestBytes), name: 'x' }, () => {});
	await soon(() => !big.connected);
	await joined(other, 'sizes');
});

function port(): string {
	return new URL(demo.url).port;
}

interface Get {
	headers?: Record<string, string>;
	method?: string;
	path?: string;
}

async function statusOf(options: Get): Promise<number> {
	return (await get(options)).status;
}

function get(options: Get): Promise<{ status: number; body: string; policy: string }> {
	return new Promise((resolve, reject) => {
		const sent = request({ host: '127.0.0.1', port: port(), headers: { host: `localhost:${port()}` }, ...options });
		sent.once('response', async (response) => {
			const policy = String(response.headers['content-security-policy']);
			resolve({ status: response.statusCode!, body: await text(response), policy });
		});
		sent.once('error', reject);
		sent.end();
	});
}

function connects(extraHeaders: Record<string, string>): Promise<boolean> {
	const socket = io(demo.url, { transports: ['websocket'], reconnection: false, forceNew: true, extraHeaders });
	sockets.push(socket);
	return new Promise((resolve) => {
		socket.once('connect', () => resolve(true));
		socket.once('connect_error', () => resolve(false));
	});
}

async function open(): Promise<Socket> {
	assert.is(await connects({}), true);
	return sockets.at(-1)!;
}

// biome-ignore lint/suspicious/noExplicitAny: the answers are what is tested
async function asked(socket: Socket, name: string, request: unknown): Promise<any> {
	const answer = await socket.timeout(5_000).emitWithAck(name, request);
	assert.is(answer.error, undefined);
	return answer.ok;
}

async function refusal(socket: Socket, name: string, request: unknown): Promise<string> {
	return (await socket.timeout(5_000).emitWithAck(name, request)).error;
}

async function joined(socket: Socket, room: string, name = 'somebody') {
	await asked(socket, 'join', { room, name });
	return asked(socket, 'enter', {});
}

async function soon(condition: () => boolean): Promise<void> {
	for (let waited = 0; !condition(); waited += 20) {
		assert.ok(waited < 5_000, `within 5 s: ${condition}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

test.run();
