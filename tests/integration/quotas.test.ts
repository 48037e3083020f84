/** What a session may take, and that one which takes more harms itself alone: through a bridge and one worker for both. */

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CAPABILITIES, DEFAULT_LIMITS, type Limits } from '../../bridge/limits.ts';
import { type Bridge, startBridge } from '../../bridge/server.ts';
import { createShim, type Shim } from '../../entries/node.ts';
import type { RTCDataChannel, RTCPeerConnection } from '../../shim/api/index.ts';
import type { LogRecord } from '../../shim/link/log.ts';
import type { MediaStreamTrack } from '../../shim/media/index.ts';
import { Session } from '../../shim/rpc/Session.ts';
import { runScript } from './embedded/script.ts';
import { makePair, negotiate, next, opened, until } from './pcPair.ts';

const film = fileURLToPath(new URL('../../demo/media/sample.webm', import.meta.url));

/** A bridge of one worker, in which each of `limits` has a token: its index. */
async function bridgeOf(...limits: Partial<Limits>[]): Promise<Bridge> {
	const access = limits.map((own, index) => ({
		token: String(index),
		capabilities: CAPABILITIES,
		limits: { ...DEFAULT_LIMITS, ...own },
	}));
	return startBridge({ access, isolation: 'shared', workers: 1, spares: 0 });
}

function shimOf({ url }: Bridge, token: string, told: LogRecord[] = []): Shim {
	return createShim({ url, token, log: (record) => told.push(record) });
}

/** One of each of two tokens; the first has begun before the second: both are in the one worker. */
async function shimsOf(bridge: Bridge): Promise<[Shim, Shim]> {
	const shims: [Shim, Shim] = [shimOf(bridge, '0'), shimOf(bridge, '1')];
	for (const shim of shims) await shim.ready;
	return shims;
}

async function refusal(promise: Promise<unknown>): Promise<DOMException> {
	return promise.then(
		() => assert.unreachable('it was allowed'),
		(error: DOMException) => error,
	) as Promise<DOMException>;
}

/** Reads frames, as many as `count`, and gives them back. */
async function read(shim: Shim, track: MediaStreamTrack, count: number): Promise<number> {
	const reader = new shim.MediaStreamTrackProcessor({ track }).readable.getReader();
	for (let seen = 0; seen < count; seen += 1) {
		const { value, done } = await reader.read();
		if (done) return seen;
		value.close();
	}
	await reader.cancel();
	return count;
}

/** Answers each message with itself, on every channel that the peer opens; their labels. */
function echo(connection: RTCPeerConnection): Set<string> {
	const labels = new Set<string>();
	connection.addEventListener('datachannel', ({ channel }) => {
		labels.add(channel.label);
		channel.onmessage = ({ data }) => channel.send(data);
	});
	return labels;
}

async function ping(channel: RTCDataChannel, text: string): Promise<string> {
	const answer = next<MessageEvent>(channel, 'message', 20_000);
	channel.send(text);
	return (await answer).data;
}

/** A server that sends a byte of its head a second, for ever. */
async function dripping(): Promise<Server> {
	const server = createServer(({ socket }) => {
		socket.write('HTTP/1.1 200 OK\r\nX-Padding: ');
		const timer = setInterval(() => socket.write('x'), 1_000);
		socket.once('close', () => clearInterval(timer)).on('error', () => {});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return server;
}

const filmOf = (kind: 'audio' | 'video') =>
	({ [kind]: { sourceType: 'file', source: film } }) as MediaStreamConstraints;

const small = { video: { width: 320, height: 240 } };

test('what a session may not have is refused to the program, with the quota, the number and the option, and told once', async () => {
	const bridge = await bridgeOf({ sources: 2, readers: 1, urlSeconds: 1 });
	const told: LogRecord[] = [];
	const shim = shimOf(bridge, '0', told);
	try {
		const stream = await shim.mediaDevices.getUserMedia(small);
		const other = await shim.mediaDevices.getUserMedia(small);
		for (let times = 0; times < 2; times += 1) {
			const error = await refusal(shim.mediaDevices.getUserMedia(small));
			assert.is(error.name, 'NotReadableError');
			assert.match(error.message, /may have 2 sources at once; to raise it: --limit sources=NUMBER/);
		}
		const [track] = stream.getVideoTracks();
		const first = new shim.MediaStreamTrackProcessor({ track: track! }).readable.getReader();
		(await first.read()).value?.close();
		const second = new shim.MediaStreamTrackProcessor({ track: other.getVideoTracks()[0]! }).readable.getReader();
		const error = await refusal(second.read());
		assert.is(error.name, 'QuotaExceededError');
		assert.match(error.message, /read 1 tracks at once; to raise it: --limit readers=NUMBER/);
		await first.cancel();
		// The worker lets go of it in its own time.
		await until('room for a reader', () => read(shim, other.getVideoTracks()[0]!, 2).catch(() => 0));
		for (const each of [stream, other]) for (const track of each.getTracks()) track.stop();
		await until('room for a source', () => shim.mediaDevices.getUserMedia(small).catch(() => null));
		assert.equal(
			told.map(({ level, message }) => [level, message.match(/--limit (\w+)=/)?.[1]]),
			[
				['warn', 'sources'],
				['warn', 'readers'],
			],
		);
	} finally {
		await shim.close();
		await bridge.close();
	}
});

test('a peer has as many channels as the quota says; beyond, its channel closes, and what is there goes on', async () => {
	const bridge = await bridgeOf({ peerChannels: 30, objects: 20 }, {});
	const [shim, peer] = await shimsOf(bridge);
	const pair = makePair({ Connection: peer.RTCPeerConnection, Answerer: shim.RTCPeerConnection });
	try {
		const echoes = echo(pair.answerer);
		const theirs = Array.from({ length: 40 }, (_, index) => pair.offerer.createDataChannel(String(index)));
		const refused = theirs.slice(30).map((channel) => next(channel, 'close', 20_000));
		await negotiate(pair);
		await Promise.all(refused);
		assert.is(await ping(theirs[0]!, 'still here'), 'still here');
		assert.is(echoes.size, 30);
		// More than it may have of its own, which go on.
		const own = pair.answerer.createDataChannel('own');
		await opened(own);
		const closed = next(theirs[0]!, 'close');
		theirs[0]!.close();
		await closed;
		const another = pair.offerer.createDataChannel('another');
		await opened(another);
		assert.is(await ping(another, 'there was room'), 'there was room');
	} finally {
		pair.close();
		await shim.close();
		await peer.close();
		await bridge.close();
	}
});

test('a session that takes all it can get leaves another its channels, files, connections and pictures', async () => {
	const bridge = await bridgeOf({ objects: 10_000 }, {});
	const [hostile, shim] = await shimsOf(bridge);
	const server = await dripping();
	const { port } = server.address() as AddressInfo;
	const raw = new Session({ connect: () => ({ url: bridge.url, token: '0' }), log: () => {} });
	const attack = makePair({ Connection: hostile.RTCPeerConnection, Answerer: shim.RTCPeerConnection });
	const own = makePair({ Connection: shim.RTCPeerConnection });
	try {
		const channel = own.offerer.createDataChannel('ping');
		echo(own.answerer);
		await negotiate(own);
		await opened(channel);

		for (let times = 0; times < 40; times += 1) {
			const video = { width: 7680, height: 4320, frameRate: 60 };
			const source = raw.create('MediaSource', { type: 'test', video });
			raw
				.create('FrameReader', { track: raw.create('Track', { source, kind: 'video' }), format: 'RGBA' })
				.credit(2 ** 32 - 1);
			source.call('open', {}).catch(() => {});
			const url = `http://127.0.0.1:${port}/${times}.mp4`;
			raw
				.create('MediaSource', { type: 'url', source: url, video: {} })
				.call('open', {})
				.catch(() => {});
		}
		const flooded = echo(attack.answerer);
		for (let count = 0; count < 5000; count += 1) attack.offerer.createDataChannel(String(count));
		await negotiate(attack);
		await until('the flood of channels', () => flooded.size === DEFAULT_LIMITS.peerChannels, 60_000);

		assert.is(await ping(channel, 'alive'), 'alive');
		const [sound] = (await shim.mediaDevices.getUserMedia(filmOf('audio'))).getAudioTracks();
		assert.is(await read(shim, sound!, 5), 5);
		const [picture] = (await shim.mediaDevices.getUserMedia(small)).getVideoTracks();
		assert.is(await read(shim, picture!, 10), 10);
		const later = makePair({ Connection: shim.RTCPeerConnection });
		echo(later.answerer);
		const further = later.offerer.createDataChannel('another');
		await negotiate(later);
		await opened(further);
		assert.is(await ping(further, 'connected'), 'connected');
		assert.is(await ping(channel, 'and still alive'), 'and still alive');
		later.close();
	} finally {
		attack.close();
		own.close();
		server.closeAllConnections();
		server.close();
		await Promise.all([shim.close(), hostile.close(), raw.close()]);
		await bridge.close();
	}
});

test('the embedded bridge takes its limits from the environment, and says which is none', async () => {
	const program = `
		import { createShim } from './entries/node.ts';
		const shim = createShim();
		try {
			await shim.mediaDevices.getUserMedia({ audio: true });
			await shim.mediaDevices.getUserMedia({ audio: true });
		} catch ({ name, message }) {
			console.log(name + ': ' + message);
		}
		await shim.close();
	`;
	const refused = await runScript(program, { AIORTC_SHIM_LIMITS: 'sources=1,readers=1' });
	assert.match(
		refused.stdout,
		/^NotReadableError: A session may have 1 sources at once; .*AIORTC_SHIM_LIMITS=sources=/,
	);
	const mistaken = await runScript(program, { AIORTC_SHIM_LIMITS: 'sorces=1' });
	assert.match(mistaken.stdout, /AIORTC_SHIM_LIMITS: sorces is no limit; there are sessions,/);
});

test.run();
