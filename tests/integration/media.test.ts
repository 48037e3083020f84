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
	await writer.write(frame);
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
		await sink.write(data);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
	near(toneFrequency(await heard, 48_000), 500, 1);
	audio.stop();
	assert.equal(await alive(), {});
});

/** Pixels of RGBA: red grows to the right, green downwards. */
function gradient(width: number, height: number): Uint8Array<ArrayBuffer> {
	const pixels = new Uint8Array(width * height * 4);
	for (let at = 0; at < width * height; at++) {
		pixels.set([60 + (at % width), 40 + Math.floor(at / width), 100, 255], at * 4);
	}
	return pixels;
}

function swapped(pixels: Uint8Array): Uint8Array {
	return pixels.map((_, at) => pixels[at + ([2, 0, -2, 0][at % 4] ?? 0)]!);
}

function within(tolerance: number, actual: Uint8Array, expected: Uint8Array): void {
	assert.is(actual.length, expected.length);
	const worst = actual.reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at]!)), 0);
	assert.ok(worst <= tolerance, `off by ${worst}`);
}

test('pictures are written in RGB and read in whatever format is asked for, of the processor or of copyTo', async () => {
	setContext(MediaStreamTrackGenerator, { session: () => session });
	const [width, height] = [130, 98];
	const pixels = gradient(width, height);
	const generator = new MediaStreamTrackGenerator({ kind: 'video' });
	const writer = generator.writable.getWriter();
	const inRgba = new MediaStreamTrackProcessor({ track: generator, format: 'RGBA' }).readable.getReader();
	const inI420 = new MediaStreamTrackProcessor({ track: generator }).readable.getReader();
	for (const [format, data] of [
		['RGBA', pixels],
		['BGRX', swapped(pixels)],
	] as const) {
		const reads = [inRgba.read(), inI420.read()];
		await session.root.call('ping', {});
		const init = { format, codedWidth: width, codedHeight: height, timestamp: 5 };
		await writer.write(new VideoFrame(data as Uint8Array<ArrayBuffer>, init));
		const [first, second] = (await Promise.all(reads)).map(({ value }) => value as globalThis.VideoFrame);
		assert.equal([first!.format, second!.format], ['RGBA', 'I420']);
		const read = new Uint8Array(first!.allocationSize());
		await first!.copyTo(read);
		within(5, read, pixels);
		const copied = new Uint8Array(second!.allocationSize({ format: 'BGRA' }));
		await second!.copyTo(copied, { format: 'BGRA' });
		within(0, swapped(copied), read);
		const back = new Uint8Array(first!.allocationSize({ format: 'NV12' }));
		assert.is(back.length, width * height * 1.5);
		await first!.copyTo(back, { format: 'NV12' });
	}
	await writer.close();
	assert.equal(await alive(), {});
});

test('sound of any format, rate and number of channels is heard', async () => {
	setContext(MediaStreamTrackGenerator, { session: () => session });
	const arrays = { u8: Uint8Array, s16: Int16Array, s32: Int32Array, f32: Float32Array };
	const scales = { u8: 127, s16: 32_767, s32: 2 ** 31 - 1, f32: 1 };
	const kinds = [
		['u8', 8_000, 1],
		['s16-planar', 22_050, 2],
		['s32', 96_000, 6],
		['s32-planar', 44_100, 8],
		['f32', 11_025, 3],
		['f32-planar', 48_000, 12],
	] as const;
	await Promise.all(
		kinds.map(async ([format, sampleRate, numberOfChannels]) => {
			const track = new MediaStreamTrackGenerator('audio');
			const heard = sound(track, 0.4);
			const type = format.replace('-planar', '') as keyof typeof arrays;
			const numberOfFrames = Math.round(sampleRate * 0.5);
			const planar = format.endsWith('-planar');
			const samples = Array.from({ length: numberOfFrames * numberOfChannels }, (_, index) => {
				const frame = planar ? index % numberOfFrames : Math.floor(index / numberOfChannels);
				const wave = 0.2 * Math.sin((2 * Math.PI * 440 * frame) / sampleRate);
				return wave * scales[type] + (type === 'u8' ? 128 : 0);
			});
			const init = { format, sampleRate, numberOfFrames, numberOfChannels, timestamp: 0 };
			await session.root.call('ping', {});
			const data = new arrays[type](samples) as Uint8Array<ArrayBuffer>;
			const written = track.writable.getWriter().write(new AudioData({ ...init, data }));
			near(toneFrequency(await heard, 48_000), 440, 2);
			await written;
			track.stop();
		}),
	);
	assert.equal(await alive(), {});
});

/** An AudioData of one channel at 48 kHz. */
function speech(samples: Int16Array<ArrayBuffer>, timestamp: number): AudioData {
	const size = { numberOfFrames: samples.length, numberOfChannels: 1 };
	return new AudioData({ format: 's16', sampleRate: 48_000, ...size, timestamp, data: samples });
}

/** Samples that tell which they are. */
function ramp(first: number, count: number): Int16Array<ArrayBuffer> {
	return Int16Array.from({ length: count }, (_, index) => ((first + index) % 30_000) + 1);
}

test('utterances written at once are heard sample by sample, one after the other; one that is dropped is not', async () => {
	setContext(MediaStreamTrackGenerator, { session: () => session });
	const track = new MediaStreamTrackGenerator('audio');
	const writer = track.writable.getWriter();
	const heard: number[] = [];
	const listening = (async () => {
		for await (const data of new MediaStreamTrackProcessor({ track })
			.readable as ReadableStream<globalThis.AudioData>) {
			const samples = new Int16Array(data.numberOfFrames);
			data.copyTo(samples, { planeIndex: 0 });
			heard.push(...samples);
			data.close();
		}
	})();
	await session.root.call('ping', {});
	const begun = performance.now();
	const said = [speech(ramp(0, 24_000), 0), speech(ramp(24_000, 14_400), 0), speech(ramp(38_400, 9_600), 50e6)];
	await Promise.all(said.map((each) => writer.write(each)));
	assert.ok(performance.now() - begun > 850);
	// An agent that is interrupted: what follows is heard at once.
	const dropped = writer.write(speech(new Int16Array(96_000).fill(-1), 0));
	await new Promise((resolve) => setTimeout(resolve, 300));
	near(track.queuedDuration, 1_800_000, 150_000);
	track.reset();
	await dropped;
	await writer.write(speech(new Int16Array(4_800).fill(-2), 0));
	await writer.close();
	await listening;
	// A machine that is busy may leave a gap, and a gap is silence; of what was said nothing is lost or changed.
	const spoken = heard.filter((sample) => sample !== 0);
	const expected = ramp(0, 48_000);
	const differing = expected.findIndex((sample, index) => sample !== spoken[index]);
	assert.is(differing, -1);
	const interrupted = spoken.slice(48_000);
	const before = interrupted.filter((sample) => sample === -1).length;
	assert.ok(before > 4_800 && before < 24_000, `${before} samples before the interruption`);
	assert.ok(interrupted.length === before + 4_800 && interrupted.slice(before).every((sample) => sample === -2));
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
