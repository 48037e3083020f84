/**
 * A room of a LiveKit server with two participants of livekit-client, both over the shim, in this process.
 *
 * INTEROP_SERVER is the server's program. One ask: `room`, of what the two should do.
 */
import '../../../../entries/global.ts';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { listenTo } from '../../../../demo/verify/listen.ts';
import { watch } from '../../../../demo/verify/watch.ts';
import type { RoomAsks } from '../../driver/protocol.ts';
import { readyLine } from '../lines.ts';
import { load, versionOf } from '../load.ts';

type What = RoomAsks['room']['in']['what'];

interface Participant {
	publishTrack(track: MediaStreamTrack, options: object): Promise<object>;
	unpublishTrack(track: MediaStreamTrack): Promise<object>;
	publishData(data: Uint8Array, options: { reliable: boolean }): Promise<void>;
}

interface Room {
	localParticipant: Participant;
	connect(url: string, token: string): Promise<void>;
	disconnect(): Promise<void>;
	on(event: string, take: (...args: never[]) => void): void;
	once(event: string, take: (...args: never[]) => void): void;
	simulateScenario(scenario: string): Promise<void>;
}

const { Room } = load('livekit-client') as { Room: new () => Room };

const HOST = '127.0.0.1';
const KEY = 'interop';
const SECRET = 'a secret of this run, which is long enough';
const PATIENCE = 20_000;
const CODE = 21;
const TONE = 550;

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
	const servers = Array.from({ length: count }, () => createServer());
	const ports = servers.map(async (server) => {
		await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
		return (server.address() as { port: number }).port;
	});
	const found = await Promise.all(ports);
	await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
	return found;
}

async function startServer(): Promise<string> {
	const [port, tcp, udp] = await freePorts(3);
	const rtc = { tcp_port: tcp, udp_port: udp, node_ip: HOST, use_external_ip: false, enable_loopback_candidate: true };
	const configuration = { port, bind_addresses: [HOST], rtc, keys: { [KEY]: SECRET } };
	const server = spawn(process.env.INTEROP_SERVER!, ['--config-body', JSON.stringify(configuration)], {
		stdio: ['ignore', 'ignore', 'inherit'],
	});
	process.once('exit', () => server.kill('SIGKILL'));
	const url = `${HOST}:${port}`;
	for (const limit = performance.now() + PATIENCE; ; ) {
		if (await fetch(`http://${url}`).catch(() => null)) return `ws://${url}`;
		if (performance.now() > limit || server.exitCode !== null) throw new Error('the LiveKit server does not start');
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

/** @see https://docs.livekit.io/home/get-started/authentication */
function tokenOf(identity: string): string {
	const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
	const video = { room: 'interop', roomJoin: true, canPublish: true, canSubscribe: true, canPublishData: true };
	const claims = { iss: KEY, sub: identity, nbf: 0, exp: Math.floor(Date.now() / 1_000) + 3_600, video };
	const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
	return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

async function join(url: string, identity: string): Promise<Room> {
	const room = new Room();
	await room.connect(url, tokenOf(identity));
	return room;
}

function inTime<T>(what: string, work: Promise<T>): Promise<T> {
	let timer: NodeJS.Timeout;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not in ${PATIENCE / 1_000} s: ${what}`)), PATIENCE);
	});
	return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Publishes a track, and gives it as the other participant gets it. */
async function arrives(from: Room, to: Room, track: MediaStreamTrack, options: object): Promise<MediaStreamTrack> {
	const subscribed = new Promise<MediaStreamTrack>((resolve) => {
		to.once('trackSubscribed', (remote: { mediaStreamTrack: MediaStreamTrack }) => resolve(remote.mediaStreamTrack));
	});
	await from.localParticipant.publishTrack(track, options);
	return inTime('a track of the other', subscribed);
}

async function audio(from: Room, to: Room): Promise<string> {
	const stream = await navigator.mediaDevices.getUserMedia({ audio: { frequency: TONE } as MediaTrackConstraints });
	const track = stream.getAudioTracks()[0]!;
	const heard = await listenTo(await arrives(from, to, track, { dtx: false }), { frequency: TONE, seconds: 1 });
	await from.localParticipant.unpublishTrack(track);
	if (Math.abs(heard.frequency / TONE - 1) > 0.05) throw new Error(`heard ${heard.frequency} Hz, not ${TONE}`);
	return `${Math.round(heard.frequency)} Hz`;
}

async function video(from: Room, to: Room, videoCodec: string): Promise<string> {
	const constraints = { width: 640, height: 480, frameRate: 30, code: CODE };
	const track = (await navigator.mediaDevices.getUserMedia({ video: constraints })).getVideoTracks()[0]!;
	const seen = await watch(await arrives(from, to, track, { videoCodec, simulcast: false }), {
		code: CODE,
		frames: 30,
	});
	await from.localParticipant.unpublishTrack(track);
	if (seen.right < 25) throw new Error(`the code was right in ${seen.right} of ${seen.frames} frames`);
	return `${Math.round(seen.frames / seen.seconds)} fps`;
}

async function data(from: Room, to: Room): Promise<undefined> {
	const sent = Array.from({ length: 50 }, (_, index) => new Uint8Array(1_000).fill(index));
	const received: Uint8Array[] = [];
	const all = new Promise<void>((resolve) => {
		to.on('dataReceived', (payload: Uint8Array) => {
			if (received.push(payload) === sent.length) resolve();
		});
	});
	for (const message of sent) await from.localParticipant.publishData(message, { reliable: true });
	await inTime('all messages of the other', all);
	if (!received.every((message, index) => Buffer.from(message).equals(sent[index]!)))
		throw new Error('messages differ');
}

/** A participant loses its connections, gets new ones by itself, and all flows as before. */
async function reconnect(from: Room, to: Room, scenario: string): Promise<string> {
	const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240, code: CODE } as never });
	const track = stream.getVideoTracks()[0]!;
	await watch(await arrives(from, to, track, { simulcast: false }), { code: CODE, frames: 5 });
	const again = new Promise<MediaStreamTrack>((resolve) => {
		to.on('trackSubscribed', (remote: { mediaStreamTrack: MediaStreamTrack }) => resolve(remote.mediaStreamTrack));
	});
	const reconnected = new Promise<void>((resolve) => to.once('reconnected', resolve));
	const started = performance.now();
	await to.simulateScenario(scenario);
	await inTime('reconnected', reconnected);
	const milliseconds = performance.now() - started;
	await watch(await inTime('its track again', again), { code: CODE, frames: 10 });
	await data(from, to);
	return `${Math.round(milliseconds)} ms`;
}

const does: Record<What, (from: Room, to: Room) => Promise<string | undefined>> = {
	data,
	audio,
	vp8: (from, to) => video(from, to, 'vp8'),
	h264: (from, to) => video(from, to, 'h264'),
	reconnect: (from, to) => reconnect(from, to, 'full-reconnect'),
};

const url = await startServer();
console.log(readyLine(`${process.env.INTEROP_SERVER_VERSION} with livekit-client ${versionOf('livekit-client')}`));
for await (const line of createInterface(process.stdin)) {
	const { id, what } = JSON.parse(line) as { id: number; what: What };
	try {
		const rooms = await Promise.all([join(url, 'alice'), join(url, 'bob')]);
		const [alice, bob] = rooms;
		const figures = [await does[what](alice, bob), await does[what](bob, alice)].filter(Boolean);
		await Promise.all(rooms.map((room) => room.disconnect()));
		console.log(JSON.stringify({ id, figure: figures.join(' / ') }));
	} catch (error) {
		console.log(JSON.stringify({ id, error: String(error) }));
	}
}
process.exit();
