/** What a session does that has a token. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '../../../bridge/limits.ts';
import { createShim } from '../../../entries/node.ts';
import { expect, type Fault, failure, type Outcome, pause, seconds } from '../fault.ts';
import { RawSession } from '../RawSession.ts';
import { randomBytes } from '../random.ts';
import { residentBytes } from '../residentBytes.ts';
import type { Scene } from '../Scene.ts';

const MIB = 1 << 20;
/** For a session or a file of an honest token, whatever others do. */
const SERVED_MS = 10_000;
const SAMPLE = join(import.meta.dirname, '../../../demo/media/sample.webm');
const SECRET = 'a-secret-that-no-log-may-have';

export const sessions: Fault[] = [
	{
		name: 'garbage frames',
		expected: 'each session of 200 goes on or ends with 4000 or 4003',
		where: 'beside',
		inject: garbage,
	},
	{
		name: 'frames without end',
		expected: 'ended with 4003, unless the machine is too slow for more than may be',
		where: 'beside',
		inject: flood,
	},
	{
		name: 'credit for 2^32 frames',
		expected: 'ended, or bounded: less than 512 MiB more',
		where: 'beside',
		inject: endlessCredit,
	},
	{ name: 'forty 8K sources', expected: 'refused, or nobody waits for it', where: 'beside', inject: largeSources },
	{
		name: 'URLs that drip',
		expected: `another token opens a file within ${SERVED_MS / 1000} s`,
		where: 'beside',
		inject: drips,
	},
	{
		name: 'log flood',
		expected: 'less than 256 KiB of log for 20,000 bad chunks, and nothing secret',
		where: 'beside',
		inject: logFlood,
	},
	{
		name: 'crashed clients',
		expected: `the 65th session of the token begins within ${SERVED_MS / 1000} s`,
		where: 'beside',
		inject: crashedClients,
	},
	{
		name: 'all workers for one token',
		expected: `another token has a session within ${SERVED_MS / 1000} s`,
		where: 'apart',
		inject: takeWorkers,
	},
];

async function garbage(scene: Scene): Promise<Outcome> {
	const random = randomBytes(1);
	const codes = new Map<number, number>();
	for (let round = 0; round < 200; round++) {
		const session = await raw(scene);
		for (const frame of badFrames(round, random)) session.send(frame);
		session.send({ call: 7, on: 0, do: 'ping', in: {} });
		const code = await Promise.race([session.closed.then(({ code }) => code), pause(50).then(() => 0)]);
		codes.set(code, (codes.get(code) ?? 0) + 1);
		await session.end();
	}
	const told = [...codes].map(([code, count]) => `${count} ${code || 'go on'}`).join(', ');
	expect(
		[...codes.keys()].every((code) => [0, 4000, 4003].includes(code)),
		told,
	);
	return { seen: told, end: '4000' };
}

function badFrames(round: number, random: (length: number) => Buffer): (string | Uint8Array)[] {
	const deep = '['.repeat(5_000) + ']'.repeat(5_000);
	const forms = [
		() => random(1 + (round % 300)),
		() => random(40).toString('latin1'),
		() => `{"new":1,"type":"MediaSource","in":${deep}}`,
		() => '{"call":1,"on":0,"do":"\\ud800","in":{}}',
		() => `{"new":${round % 2 ? -1 : 2 ** 53},"type":"Track","in":{}}`,
		() => '{"ack":99999999}',
		() => Buffer.concat([Buffer.from([round % 4, 255, 0, 0, 0, 0, 0, 9, 255, 255, 255, 255]), random(20)]),
		() => `{"drop":${round}}{"drop":1}`,
	];
	return [forms[round % forms.length]!()];
}

/** Sends what a token may send in ten seconds, and has to be ended unless the machine takes as long for it. */
async function flood(scene: Scene): Promise<Outcome> {
	const session = await raw(scene);
	const frames = 10 * DEFAULT_LIMITS.framesPerSecond;
	const start = performance.now();
	for (let sent = 0; sent < frames && session.socket.readyState === session.socket.OPEN; sent++) {
		session.send('{"ping":1}');
		if (sent % 1000 === 0) await pause(0);
	}
	while (session.socket.bufferedAmount > 0 && session.socket.readyState === session.socket.OPEN) await pause(50);
	const rate = frames / ((performance.now() - start) / 1000);
	const closed = await Promise.race([session.closed, pause(1_000).then(() => null)]);
	expect(
		closed?.code === 4003 || (!closed && rate < DEFAULT_LIMITS.framesPerSecond),
		`${closed?.code} at ${rate} a second`,
	);
	return { seen: `${rate.toFixed(0)} a second`, end: closed?.reason ?? '' };
}

/** Lets four readers of large pictures send all that they have, and reads nothing. */
async function endlessCredit(scene: Scene): Promise<Outcome> {
	const before = memory(scene);
	const session = await raw(scene);
	session.socket.pause();
	for (let id = 1; id < 12; id += 3) {
		session.send({ new: id, type: 'MediaSource', in: { type: 'test', video: { width: 1920, height: 1080 } } });
		session.send({ call: id, on: id, do: 'open', in: {} });
		session.send({ new: id + 1, type: 'Track', in: { source: id, kind: 'video' } });
		session.send({ new: id + 2, type: 'FrameReader', in: { track: id + 1 } });
		session.credit(id + 2, 0xffffffff);
	}
	const most = { bridge: 0, workers: 0 };
	for (let waited = 0; waited < 10_000 && most.bridge + most.workers < 1024 * MIB; waited += 250) {
		await pause(250);
		const now = memory(scene);
		most.bridge = Math.max(most.bridge, now.bridge - before.bridge);
		most.workers = Math.max(most.workers, now.workers - before.workers);
	}
	const [bridge, workers] = [most.bridge / MIB, most.workers / MIB].map(Math.round) as [number, number];
	const seen = `${bridge} MiB more in the bridge, ${workers} in the workers`;
	expect(bridge + workers < 512, seen);
	session.socket.resume();
	const closed = await Promise.race([session.closed, pause(1_000).then(() => null)]);
	return { seen, end: closed ? `${closed.code} ${closed.reason}` : '' };
}

/** Bytes of the bridge, and of its workers, that are in memory. */
function memory({ bridge }: Scene): { bridge: number; workers: number } {
	const workers = bridge.workers.reduce((sum, pid) => sum + residentBytes(pid), 0);
	return { bridge: residentBytes(bridge.pid), workers };
}

async function largeSources(scene: Scene): Promise<Outcome> {
	const session = await raw(scene);
	for (let id = 1; id < 120; id += 3) {
		session.send({ new: id, type: 'MediaSource', in: { type: 'test', video: { width: 7680, height: 4320 } } });
		session.send({ call: id, on: id, do: 'open', in: {} });
		session.send({ new: id + 1, type: 'Track', in: { source: id, kind: 'video' } });
		session.send({ new: id + 2, type: 'FrameReader', in: { track: id + 1 } });
		session.credit(id + 2, 1);
	}
	const closed = await Promise.race([session.closed, pause(8_000).then(() => null)]);
	return { seen: closed ? 'ended' : 'goes on', end: closed ? `${closed.code} ${closed.reason}` : '' };
}

/** Sessions open as many URLs as they may, of a server that sends a byte now and then. */
async function drips(scene: Scene): Promise<Outcome> {
	const server = await dripServer();
	scene.later(() => close(server));
	const { port } = server.address() as AddressInfo;
	// Two in each worker.
	for (let count = 0; count < 4; count++) {
		const session = await raw(scene);
		for (let id = 1; id <= 16; id++) {
			session.send({
				new: id,
				type: 'MediaSource',
				in: { type: 'url', source: `http://127.0.0.1:${port}/${id}`, video: {} },
			});
			session.send({ call: id, on: id, do: 'open', in: {} });
		}
	}
	await pause(500);
	const shim = createShim({ url: scene.bridge.url, token: scene.other, sessions: 1, log: () => {} });
	scene.later(() => shim.close());
	const start = performance.now();
	const opened = shim.mediaDevices.getUserMedia({
		video: { sourceType: 'file', source: SAMPLE } as MediaTrackConstraints,
	});
	const refused = await failure(opened, SERVED_MS);
	expect(!refused, `the file was not opened: ${refused?.message}`);
	return { seen: `opened in ${seconds(performance.now() - start)}`, end: '' };
}

async function dripServer(): Promise<Server> {
	const server = createServer((_, response) => {
		response.writeHead(200, { 'content-type': 'video/webm' });
		const timer = setInterval(() => response.write('x'), 500);
		response.on('close', () => clearInterval(timer));
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return server;
}

async function close(server: Server): Promise<void> {
	server.closeAllConnections();
	await new Promise((resolve) => server.close(resolve));
}

function chunk(header: string, length = header.length): Buffer {
	const start = Buffer.alloc(4);
	start.writeUInt32BE(length);
	return Buffer.concat([start, Buffer.from(`${header}garbage`)]);
}

const BAD_CHUNKS = [
	chunk('{}'),
	chunk('{}', 2 ** 32 - 1),
	chunk('{"timestamp":0,"format":"I420","width":2,"height":2,"rotation":0}'),
	chunk('{"timestamp":0,"format":"I420","width":1000000000,"height":1000000000,"rotation":0}'),
	chunk('{"timestamp":0,"format":"I420","width":-2,"height":0,"rotation":0}'),
	chunk('\ud800', 1),
];

/** Chunks of media that are none: each is the worker's to complain of. */
async function logFlood(scene: Scene): Promise<Outcome> {
	const { log } = scene.bridge;
	const from = log.length;
	const session = await raw(scene);
	session.send({ new: 1, type: 'MediaSource', in: { type: 'frames', video: {} } });
	session.send({ new: 2, type: 'FrameWriter', in: { source: 1 } });
	for (let sent = 0; sent < 20_000; sent++) {
		session.record(2, 2, BAD_CHUNKS[sent % BAD_CHUNKS.length]!);
		if (sent % 500 === 0) await pause(20);
	}
	const leak = await raw(scene);
	leak.send(`{"token":"${SECRET}"`);
	await pause(3_000);
	const said = log.slice(from);
	const bytes = said.reduce((sum, line) => sum + line.length + 1, 0);
	expect(!said.some((line) => line.includes(SECRET)), 'the log has what a bad frame had');
	expect(bytes < 256 * 1024, `${said.length} lines, ${bytes} bytes of log`);
	return { seen: `${said.length} lines, ${bytes} bytes`, end: (await leak.closed).reason };
}

async function crashedClients(scene: Scene): Promise<Outcome> {
	const crashed = await Promise.all(Array.from({ length: 64 }, () => RawSession.open(scene.bridge.url, scene.token)));
	for (const { socket } of crashed) socket.terminate();
	return served(scene, scene.token);
}

async function takeWorkers(scene: Scene): Promise<Outcome> {
	for (let count = 0; count < 16; count++) await raw(scene);
	return served(scene, scene.newcomer);
}

/** Tries, as a program does that is refused, until it has a session. */
async function served(scene: Scene, token: string): Promise<Outcome> {
	const start = performance.now();
	for (let refused = 0; ; refused++) {
		const session = RawSession.open(scene.bridge.url, token);
		scene.later(() => session.then((each) => each.end()).catch(() => {}));
		const error = await failure(session, SERVED_MS);
		if (!error) return { seen: `${refused} refusals, ${seconds(performance.now() - start)}`, end: '' };
		expect(performance.now() - start < SERVED_MS, `no session: ${error.message}`);
		await pause(500);
	}
}

/** A session of the culprit's, which ends with the fault. */
async function raw(scene: Scene): Promise<RawSession> {
	const session = await RawSession.open(scene.bridge.url, scene.token);
	scene.later(() => session.end());
	return session;
}
