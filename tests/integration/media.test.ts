/** Media through shim, embedded bridge and worker: what is asked for is what is read. */

import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startEmbedded, stopEmbedded } from '../../bridge/embedded.ts';
import { readPictureCode } from '../../demo/verify/pictureCode.ts';
import { level, toneFrequency } from '../../demo/verify/tone.ts';
import {
	AudioData,
	createMediaDevices,
	type MediaStream,
	type MediaStreamTrack,
	MediaStreamTrackGenerator,
	MediaStreamTrackProcessor,
	VideoFrame,
} from '../../shim/media/index.ts';
import { setContext } from '../../shim/rpc/context.ts';
import { Session } from '../../shim/rpc/Session.ts';

const sample = (name: string) => fileURLToPath(new URL(`../../demo/media/${name}`, import.meta.url));

const timer = setInterval(() => {}, 2 ** 30).unref();
const keepAlive = { ref: () => timer.ref(), unref: () => timer.unref() };
const session = new Session({ connect: startEmbedded, keepAlive });
const media = createMediaDevices({ session: () => session });

const streams: MediaStream[] = [];

/** getUserMedia, whose tracks are stopped after the test at the latest. */
async function open(constraints: MediaStreamConstraints): Promise<MediaStream> {
	const stream = await media.getUserMedia(constraints);
	streams.push(stream);
	return stream;
}

function stop(stream: MediaStream): void {
	for (const track of stream.getTracks()) track.stop();
}

interface Picture {
	timestamp: number;
	width: number;
	code: ReturnType<typeof readPictureCode>;
	luma: Uint8Array;
}

async function pictures(track: MediaStreamTrack, count: number): Promise<Picture[]> {
	const seen: Picture[] = [];
	for await (const frame of new MediaStreamTrackProcessor({ track })
		.readable as ReadableStream<globalThis.VideoFrame>) {
		const planes = new Uint8Array(frame.allocationSize());
		await frame.copyTo(planes);
		const { codedWidth: width, codedHeight: height, timestamp } = frame;
		const luma = planes.subarray(0, width * height);
		seen.push({ timestamp, width, code: readPictureCode(luma, width, height), luma });
		frame.close();
		if (seen.length === count) break;
	}
	return seen;
}

async function sound(track: MediaStreamTrack, seconds: number): Promise<Int16Array> {
	const chunks: number[] = [];
	for await (const data of new MediaStreamTrackProcessor({ track }).readable as ReadableStream<globalThis.AudioData>) {
		const samples = new Int16Array(data.numberOfFrames);
		data.copyTo(samples, { planeIndex: 0, format: 's16-planar' });
		chunks.push(...samples);
		data.close();
		if (chunks.length >= seconds * 48_000) break;
	}
	return Int16Array.from(chunks);
}

function near(value: number, expected: number, tolerance: number): void {
	assert.ok(Math.abs(value - expected) <= tolerance, `${value}, not ${expected} ± ${tolerance}`);
}

/** Waits until the worker has closed what was dropped. */
async function alive(): Promise<Record<string, number>> {
	for (let attempt = 0; attempt < 20; attempt++) {
		const { objects } = await session.root.call('dump', {});
		if (Object.keys(objects).length === 0) return objects;
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	return (await session.root.call('dump', {})).objects;
}

test('a test picture and tone are read as they were asked for', async () => {
	const stream = await open({ audio: { frequency: 1000 }, video: { width: 320, height: 240, code: 77 } });
	const [seen, heard] = await Promise.all([
		pictures(stream.getVideoTracks()[0]!, 15),
		sound(stream.getAudioTracks()[0]!, 0.4),
	]);
	assert.ok(seen.every(({ code, width }) => code?.code === 77 && width === 320));
	const counters = seen.map(({ code }) => code!.counter);
	assert.ok(counters.every((counter, index) => index === 0 || counter > counters[index - 1]!));
	// On a busy machine pictures are left out; those that come say their own time.
	for (const { timestamp, code } of seen) near(timestamp, (code!.counter * 1e6) / 30, 1);
	near(toneFrequency(heard, 48_000), 1000, 2);
	stop(stream);
	assert.equal(await alive(), {});
});

for (const name of ['sample.webm', 'sample.mp4']) {
	test(`${name} is read in real time, its picture and tone verified`, async () => {
		const file = { sourceType: 'file', source: sample(name), loop: true } as const;
		const stream = await open({ audio: file, video: file });
		const [video] = stream.getVideoTracks();
		const { width, height, frameRate } = video!.getSettings();
		assert.equal([width, height, frameRate], [320, 240, 15]);
		const started = performance.now();
		const [seen, heard] = await Promise.all([pictures(video!, 20), sound(stream.getAudioTracks()[0]!, 1)]);
		assert.ok(performance.now() - started > 1_000);
		assert.ok(seen.every(({ code }) => code?.code === 1515));
		near(toneFrequency(heard, 48_000), 660, 2);
		stop(stream);
	});
}

test('a disabled track is black and silent, and then itself again', async () => {
	const stream = await open({ audio: true, video: { width: 320, height: 240, code: 5 } });
	const [audio] = stream.getAudioTracks();
	const [video] = stream.getVideoTracks();
	audio!.enabled = false;
	video!.enabled = false;
	const [black] = await pictures(video!, 1);
	assert.ok(black!.luma.every((value) => value === 16));
	assert.is(level(await sound(audio!, 0.1)), 0);
	audio!.enabled = true;
	video!.enabled = true;
	assert.is((await pictures(video!, 2)).at(-1)!.code?.code, 5);
	near(level(await sound(audio!, 0.1)), 0.25 * Math.SQRT1_2, 0.02);
	stop(stream);
});

test('a file that does not loop ends its tracks and their readers', async () => {
	const file = { sourceType: 'file', source: sample('sample.webm') } as const;
	const stream = await open({ audio: file, video: file });
	const [audio] = stream.getAudioTracks();
	const [video] = stream.getVideoTracks();
	const ended = new Promise((resolve) => {
		audio!.onended = resolve;
	});
	// The last picture waits for a reader that is late.
	assert.is((await pictures(video!, 1_000)).at(-1)!.code?.counter, 74);
	await ended;
	assert.equal([audio!.readyState, video!.readyState, stream.active], ['ended', 'ended', false]);
	assert.equal(await alive(), {});
});

test('a wrong path is a NotFoundError that names it', async () => {
	const error = await open({ video: { sourceType: 'file', source: '/no/such/file.webm' } }).catch(
		(reason: DOMException) => reason,
	);
	assert.is((error as DOMException).name, 'NotFoundError');
	assert.match((error as DOMException).message, '/no/such/file.webm');
	assert.equal(await alive(), {});
});

test('a reader that pauses gets the latest picture, not an old one', async () => {
	const stream = await open({ video: { width: 320, height: 240, frameRate: 30 } });
	const [track] = stream.getVideoTracks();
	const reader = new MediaStreamTrackProcessor({ track: track! }).readable.getReader();
	await reader.read();
	await new Promise((resolve) => setTimeout(resolve, 500));
	// One was on its way when reading paused, and is as old as that; the next is not.
	const { value: buffered } = await reader.read();
	const { value: fresh } = await reader.read();
	assert.ok(fresh!.timestamp - buffered!.timestamp > 400_000);
	await reader.cancel();
	track!.stop();
	assert.equal(await alive(), {});
});

test('what is written into a generator is what its track gives', async () => {
	setContext(MediaStreamTrackGenerator, { session: () => session });
	const video = new MediaStreamTrackGenerator({ kind: 'video' });
	const reader = new MediaStreamTrackProcessor({ track: video }).readable.getReader();
	const read = reader.read();
	const writer = video.writable.getWriter();
	const planes = new Uint8Array(64 * 48 * 1.5).fill(99);
	// A frame that is written before anybody reads is nobody's.
	await session.root.call('ping', {});
	const frame = new VideoFrame(planes, { format: 'I420', codedWidth: 64, codedHeight: 48, timestamp: 1_000_000 });
	await writer.write(frame as unknown as globalThis.VideoFrame);
	const { value } = await read;
	const copied = new Uint8Array(planes.length);
	await (value as globalThis.VideoFrame).copyTo(copied);
	assert.equal(copied, planes);
	assert.is(value!.timestamp, 1_000_000);
	await writer.close();
	assert.is((await reader.read()).done, true);

	const audio = new MediaStreamTrackGenerator({ kind: 'audio' });
	const heard = sound(audio, 0.5);
	const sink = audio.writable.getWriter();
	for (let index = 0; index < 60; index++) {
		const samples = Float32Array.from({ length: 441 }, (_, at) =>
			Math.sin((2 * Math.PI * 500 * (index * 441 + at)) / 44_100),
		);
		const data = new AudioData({
			format: 'f32-planar',
			sampleRate: 44_100,
			numberOfFrames: 441,
			numberOfChannels: 1,
			timestamp: index * 10_000,
			data: samples,
		});
		await sink.write(data as unknown as globalThis.AudioData);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
	near(toneFrequency(await heard, 48_000), 500, 1);
	audio.stop();
	assert.equal(await alive(), {});
});

test.after.each(() => {
	for (const stream of streams.splice(0)) stop(stream);
});

test.after(async () => {
	// Nothing else keeps the process until the worker is gone.
	timer.ref();
	await session.close();
	await stopEmbedded();
	clearInterval(timer);
});

test.run();
