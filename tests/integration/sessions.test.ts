/** One shim over several sessions, each in a worker of its own: what was made with it serves any connection of it. */

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmbedded } from '../../bridge/embedded.ts';
import { DEFAULT_LIMITS } from '../../bridge/limits.ts';
import { startBridge } from '../../bridge/server.ts';
import { readPictureCode } from '../../demo/verify/pictureCode.ts';
import { level, toneFrequency } from '../../demo/verify/tone.ts';
import { createShim, MediaStreamTrackProcessor, type RTCPeerConnection } from '../../entries/node.ts';
import { Sessions } from '../../entries/sessions.ts';
import { bindShim } from '../../entries/shim.ts';
import { type MediaStreamTrack, VideoFrame } from '../../shim/media/index.ts';
import type { Session } from '../../shim/rpc/Session.ts';
import { childrenOf } from './bridge/processes.ts';
import { connected, makePair, negotiate, next, opened, type Pair, until } from './pcPair.ts';

const COUNT = 3;
const P256: EcKeyGenParams = { name: 'ECDSA', namedCurve: 'P-256' };
const test = suite('sessions');

const alive = setInterval(() => {}, 1_000);
const sessions = new Sessions({ connect: () => startEmbedded(undefined, undefined, COUNT) }, COUNT);
const shim = bindShim(sessions);
const Connection = shim.RTCPeerConnection;

test.after(async () => {
	await shim.close();
	clearInterval(alive);
});

/** Sends a track from a connection to another, which is in another session. */
async function send(track: MediaStreamTrack): Promise<Pair & { track: MediaStreamTrack }> {
	const pair = makePair({ Connection });
	const incoming = next<RTCTrackEvent>(pair.answerer, 'track');
	pair.offerer.addTrack(track);
	await negotiate(pair);
	return { ...pair, track: (await incoming).track as unknown as MediaStreamTrack };
}

/** Gives frames of a track to `look` until it is content. */
async function watch(track: MediaStreamTrack, look: (frame: globalThis.VideoFrame) => Promise<boolean>): Promise<void> {
	const frames = new MediaStreamTrackProcessor({ track }).readable.getReader();
	for (;;) {
		const { done, value } = await frames.read();
		assert.not(done, 'the track has ended');
		const content = await look(value as globalThis.VideoFrame);
		value!.close();
		if (content) break;
	}
	await frames.cancel();
}

async function lumaOf(frame: globalThis.VideoFrame): Promise<Uint8Array> {
	const planes = new Uint8Array(frame.allocationSize());
	await frame.copyTo(planes);
	return planes.subarray(0, frame.codedWidth * frame.codedHeight);
}

/** Waits for a picture with that code in it. */
function sees(track: MediaStreamTrack, code: number): Promise<void> {
	return watch(track, async (frame) => {
		return readPictureCode(await lumaOf(frame), frame.codedWidth, frame.codedHeight)?.code === code;
	});
}

/** Waits for a picture of that brightness, as a codec leaves it. */
function seesLuma(track: MediaStreamTrack, luma: number): Promise<void> {
	return watch(track, async (frame) => Math.abs((await lumaOf(frame))[0]! - luma) < 8);
}

async function hears(track: MediaStreamTrack, frequency: number): Promise<void> {
	const samples: number[] = [];
	const frames = new MediaStreamTrackProcessor({ track }).readable.getReader();
	for (;;) {
		const data = (await frames.read()).value as globalThis.AudioData;
		const channel = new Int16Array(data.numberOfFrames);
		data.copyTo(channel, { planeIndex: 0, format: 's16-planar' });
		data.close();
		samples.push(...channel);
		const last = Int16Array.from(samples.slice(-9_600));
		if (last.length === 9_600 && level(last) > 0.01 && Math.abs(toneFrequency(last, 48_000) - frequency) < 3) break;
	}
	await frames.cancel();
}

/** What is alive in the workers, by type. */
async function objects(): Promise<Record<string, number>[]> {
	const dumps = [...known].filter(({ failure }) => !failure).map((session) => session.root.call('dump', {}));
	return (await Promise.all(dumps)).map(({ objects }) => objects);
}

/** Every session that was handed out. */
const known = new Set<Session>();
const session = sessions.session.bind(sessions);
sessions.session = () => {
	const given = session();
	known.add(given);
	return given;
};

async function nothingIsLeft(): Promise<void> {
	await until('nothing is left in the workers', async () =>
		(await objects()).every((types) => Object.keys(types).length === 0),
	).catch(async () => assert.equal(await objects(), []));
}

test('connections are spread evenly, each session in a worker of its own; what is made ahead of one is made there', async () => {
	const all: RTCPeerConnection[] = [];
	const used = Array.from({ length: 2 * COUNT }, () => {
		const [ahead] = [sessions.session()];
		all.push(new Connection());
		assert.is(ahead.scope.load, all.length > COUNT ? 2 : 1);
		return ahead;
	});
	assert.is(new Set(used).size, COUNT);
	assert.is(new Set(used.slice(COUNT)).size, COUNT);
	await Promise.all(all.map((connection) => connection.createOffer()));
	assert.is(childrenOf().length, COUNT);
	all[4]!.close();
	all[1]!.close();
	assert.is(sessions.session(), used[1]);
	for (const connection of all) connection.close();
	await nothingIsLeft();
});

test('a connection counts for what it sends, as long as it does', async () => {
	const stream = await shim.mediaDevices.getUserMedia({ audio: true, video: { width: 160, height: 120 } });
	const { scope } = sessions.session();
	const connection = new Connection();
	const idle = scope.load;
	const picture = connection.addTrack(stream.getVideoTracks()[0]!);
	const withPicture = scope.load;
	const { sender: sound } = connection.addTransceiver(stream.getAudioTracks()[0]!);
	assert.ok(scope.load > withPicture && withPicture > 2 * idle, `${idle}, ${withPicture}, ${scope.load}`);
	await picture.replaceTrack(null);
	connection.removeTrack(sound);
	assert.is(scope.load, idle);
	connection.close();
	assert.is(scope.load, 0);
	for (const track of stream.getTracks()) track.stop();
});

test('a track of getUserMedia is sent by connections of every session', async () => {
	const stream = await shim.mediaDevices.getUserMedia({
		audio: { frequency: 700 },
		video: { width: 160, height: 120, code: 4711 },
	} as MediaStreamConstraints);
	for (const track of stream.getTracks()) {
		const calls = await Promise.all([send(track), send(track), send(track)]);
		await Promise.all(calls.map((call) => (track.kind === 'video' ? sees(call.track, 4711) : hears(call.track, 700))));
		for (const call of calls) call.close();
		track.stop();
	}
	await nothingIsLeft();
});

test('a track that the program writes is sent by connections of every session, also when it was written before', async () => {
	const track = new shim.MediaStreamTrackGenerator({ kind: 'video' });
	const writer = track.writable.getWriter();
	let time = 0;
	const write = (luma: number): Promise<void> => {
		const planes = new Uint8Array(160 * 120 * 1.5).fill(128).fill(luma, 0, 160 * 120);
		time += 40_000;
		const init = { format: 'I420', codedWidth: 160, codedHeight: 120, timestamp: time } as const;
		return writer.write(new VideoFrame(planes, init) as unknown as globalThis.VideoFrame);
	};
	await write(60);
	const calls = await Promise.all([send(track), send(track), send(track)]);
	// Of the only picture that there is.
	await Promise.all(calls.map((call) => seesLuma(call.track, 60)));
	await write(200);
	await Promise.all(calls.map((call) => seesLuma(call.track, 200)));
	track.enabled = false;
	await write(220);
	await Promise.all(calls.map((call) => seesLuma(call.track, 16)));
	track.enabled = true;
	// A processor reads what is written wherever it is.
	const clone = track.clone();
	const read = seesLuma(clone, 90);
	await write(90);
	await read;
	clone.stop();
	await writer.close();
	assert.is(track.readyState, 'ended');
	for (const call of calls) call.close();
	await nothingIsLeft();
});

test('what was received in one session is sent on from another, while somebody takes it there', async () => {
	const stream = await shim.mediaDevices.getUserMedia({
		audio: { frequency: 600 },
		video: { width: 160, height: 120, code: 815 },
	} as MediaStreamConstraints);
	for (const track of stream.getTracks()) {
		const look = (seen: MediaStreamTrack) => (track.kind === 'video' ? sees(seen, 815) : hears(seen, 600));
		const first = await send(track);
		const second = await send(first.track);
		const third = await send(second.track);
		await look(third.track);
		const readers = async () => (await objects()).reduce((sum, { FrameReader = 0 }) => sum + FrameReader, 0);
		assert.ok((await readers()) > 0);

		// Sent by nobody: nothing is read.
		const [sender] = second.offerer.getSenders();
		await sender!.replaceTrack(null);
		await until('only what the third takes is read', async () => (await readers()) <= 1);
		await sender!.replaceTrack(first.track as never);
		await look(third.track);

		const clone = first.track.clone();
		first.track.enabled = false;
		if (track.kind === 'video') await seesLuma(third.track, 16);
		assert.is(clone.enabled, true);
		await look(clone);
		first.track.enabled = true;
		await look(third.track);
		clone.stop();

		const [receiver] = second.answerer.getReceivers();
		assert.is(first.track.muted, false);
		first.close();
		await until('it ends with its connection', () => first.track.readyState === 'ended');
		assert.is(receiver!.track.readyState, 'live');
		second.close();
		third.close();
		track.stop();
	}
	await nothingIsLeft();
});

test('a certificate serves connections of every session, and shows the same fingerprint in each', async () => {
	for (const algorithm of [
		P256,
		{
			name: 'RSASSA-PKCS1-v1_5',
			modulusLength: 2048,
			publicExponent: new Uint8Array([1, 0, 1]),
			hash: 'SHA-256',
		},
	]) {
		const [ours, theirs] = await Promise.all([
			Connection.generateCertificate(algorithm),
			Connection.generateCertificate(algorithm),
		]);
		const [{ value }] = ours.getFingerprints() as [{ value: string }];
		for (let round = 0; round < COUNT; round++) {
			const offerer = new Connection({ certificates: [ours] });
			const answerer = new Connection({ certificates: [theirs] });
			const spare = new Connection();
			offerer.onicecandidate = ({ candidate }) => answerer.addIceCandidate(candidate);
			answerer.onicecandidate = ({ candidate }) => offerer.addIceCandidate(candidate);
			const channel = offerer.createDataChannel('x');
			await negotiate({ offerer, answerer });
			await opened(channel);
			assert.match(offerer.localDescription!.sdp, `a=fingerprint:sha-256 ${value}`);
			const [dtls] = [answerer.sctp!.transport];
			const [seen] = dtls.getRemoteCertificates();
			const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', seen!));
			assert.is([...digest].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase()).join(':'), value);
			if (round % 2) spare.close();
			offerer.close();
			answerer.close();
			spare.close();
		}
	}
	await nothingIsLeft();
});

test('with one session of three are lost its connections alone; another takes its place', async () => {
	const certificate = await Connection.generateCertificate({
		name: 'ECDSA',
		namedCurve: 'P-256',
	} as AlgorithmIdentifier);
	const written = new shim.MediaStreamTrackGenerator({ kind: 'audio' });
	const stream = await shim.mediaDevices.getUserMedia({ video: { width: 160, height: 120 } });
	const [track] = stream.getVideoTracks();
	const all = Array.from({ length: 2 * COUNT }, () => new Connection());
	for (const connection of all) {
		connection.addTrack(written as never);
		connection.addTrack(track as never);
		await connection.setLocalDescription();
	}
	const [worker] = childrenOf();
	process.kill(worker!, 'SIGKILL');
	const failed = () => all.filter(({ connectionState }) => connectionState === 'failed');
	await until('its connections have failed', () => failed().length > 0);
	await new Promise((resolve) => setTimeout(resolve, 300));
	assert.is(failed().length, 2);
	assert.equal([written.readyState, track!.readyState], ['live', 'live']);

	const lost = failed();
	for (const connection of lost) connection.close();
	const pair = makePair({ Connection, configuration: { certificates: [certificate] } });
	pair.offerer.addTrack(track as never);
	await negotiate(pair);
	await connected(pair.offerer, pair.answerer);
	await until('a picture', async () => pair.answerer.getReceivers()[0]!.track.muted === false);
	pair.close();
	for (const connection of all) connection.close();
	track!.stop();
	written.stop();
	assert.is(childrenOf().length, COUNT);
	await nothingIsLeft();
});

test('the key of a certificate opens for sessions of the same token alone', async () => {
	const rows = ['ours', 'theirs'].map((token) => ({ token, capabilities: [], limits: DEFAULT_LIMITS }));
	const bridge = await startBridge({ access: rows, isolation: 'shared' });
	const [ours, theirs] = rows.map(({ token }) => createShim({ url: bridge.url, token }));
	const certificate = await ours!.RTCPeerConnection.generateCertificate(P256);
	const connection = new theirs!.RTCPeerConnection({ certificates: [certificate] });
	connection.createDataChannel('x');
	await connection.setLocalDescription();
	await until('it is refused', () => connection.connectionState === 'failed');
	for (const shim of [ours, theirs]) await shim!.close();
	await bridge.close();
});

test('a bridge that allows fewer sessions: the connection that finds none fails, and those after it use the others', async () => {
	const bridge = await startBridge({ token: 'sesame', limits: { sessions: 2 } });
	const few = createShim({ url: bridge.url, token: 'sesame', sessions: 3 });
	const all = Array.from({ length: 3 }, () => new few.RTCPeerConnection());
	const made = await Promise.allSettled(all.map((connection) => connection.createOffer()));
	assert.equal(made.map(({ status }) => status).sort(), ['fulfilled', 'fulfilled', 'rejected']);
	const [refused] = made.filter((each) => each.status === 'rejected');
	assert.match((refused as PromiseRejectedResult).reason.message, /2 sessions exist/);
	const more = Array.from({ length: 4 }, () => new few.RTCPeerConnection());
	await Promise.all(more.map((connection) => connection.createOffer()));
	await few.close();
	await bridge.close();
});

test.run();
