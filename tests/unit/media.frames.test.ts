import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fromFrame } from '../../shim/media/frameClasses.ts';
import {
	AudioData,
	createMediaDevices,
	MediaStreamTrackGenerator,
	MediaStreamTrackProcessor,
	openTrack,
	VideoFrame,
} from '../../shim/media/index.ts';
import { convertIn } from '../../shim/media/VideoFrame.ts';
import { bindContext, setContext } from '../../shim/rpc/context.ts';
import type { AudioHeader, VideoHeader } from '../../shim/rpc/types.ts';
import { type FakeRemote, FakeSession } from './media.fakes.ts';

type Reader = ReadableStreamDefaultReader<globalThis.VideoFrame | globalThis.AudioData>;

const FORMATS = ['I420', 'I420A', 'NV12', 'RGBA', 'RGBX', 'BGRA', 'BGRX'] as const;
const init = { format: 'I420', codedWidth: 4, codedHeight: 2, timestamp: 33_000 } as const;
/** Y 0 to 7, U 8 and 9, V 10 and 11. */
const planes = Uint8Array.from({ length: 12 }, (_, index) => index);

async function processing(
	kind: 'audio' | 'video',
	options: { maxBufferSize?: number; format?: VideoPixelFormat } = {},
): Promise<{ session: FakeSession; reader: Reader; stop: () => void }> {
	const session = new FakeSession();
	const stream = await createMediaDevices({ session: () => session.real }).getUserMedia({ [kind]: true });
	const [track] = stream.getTracks();
	const reader = new MediaStreamTrackProcessor({ track: track!, ...options }).readable.getReader();
	await turn();
	return { session, reader, stop: () => track!.stop() };
}

/** A processor with a read that waits. */
async function reading(kind: 'audio' | 'video', options: { maxBufferSize?: number } = {}) {
	const made = await processing(kind, options);
	const read = made.reader.read();
	await turn();
	return { ...made, read, worker: made.session.alive('FrameReader')[0]! };
}

function sendPicture(worker: FakeRemote, timestamp: number): void {
	const header = { timestamp, duration: null, format: 'I420', width: 4, height: 2, rotation: 0 } as const;
	worker.onmedia?.(header, planes.slice());
}

function turn(): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, 0));
}

test('a processor that nobody reads opens nothing in the worker and holds nothing', async () => {
	const { session, reader } = await processing('video');
	assert.equal([session.alive('FrameReader').length, session.alive('Track').length, session.holds], [0, 0, 0]);
	reader.releaseLock();
	await turn();
	assert.equal([session.alive('FrameReader').length, session.holds], [0, 0]);
});

test('a read asks for a picture, and for the next when that has come; the process stays while it waits', async () => {
	const { session, worker, reader, read } = await reading('video');
	assert.equal([worker.credits, session.holds], [1, 1]);
	sendPicture(worker, 1);
	assert.is((await read).value!.timestamp, 1);
	await turn();
	assert.equal([worker.credits, session.holds], [2, 0]);
	sendPicture(worker, 2);
	await turn();
	assert.is(worker.credits, 2);
	assert.is((await reader.read()).value!.timestamp, 2);
	await turn();
	assert.equal([worker.credits, session.holds], [3, 0]);
});

test('maxBufferSize is how many frames are asked for ahead', async () => {
	const { worker, reader, read } = await reading('video', { maxBufferSize: 3 });
	assert.is(worker.credits, 3);
	for (const timestamp of [1, 2, 3]) sendPicture(worker, timestamp);
	await read;
	await turn();
	assert.is(worker.credits, 4);
	await reader.read();
	await turn();
	assert.is(worker.credits, 5);
	assert.is((await reading('audio')).worker.credits, 10);
});

test('frames that came before the end are read before it', async () => {
	const { session, worker, reader, read } = await reading('video', { maxBufferSize: 2 });
	sendPicture(worker, 1);
	sendPicture(worker, 2);
	worker.emit('ended');
	assert.is((await read).value!.timestamp, 1);
	assert.is((await reader.read()).value!.timestamp, 2);
	assert.is((await reader.read()).done, true);
	assert.equal([session.holds, worker.dropped], [0, true]);
});

test('a processor asks the worker for the format that its frames are to have', async () => {
	const { session, reader } = await processing('video', { format: 'RGBA' });
	void reader.read();
	await turn();
	assert.is(session.alive('FrameReader')[0]!.params.format, 'RGBA');
	assert.throws(() => new MediaStreamTrackProcessor({ track: {} } as never), TypeError);
	const error = await processing('video', { format: 'I444' }).catch((reason: Error) => reason);
	assert.is((error as Error).name, 'NotSupportedError');
});

test('cancel lets go of the reader', async () => {
	const { session, worker, reader } = await reading('video');
	sendPicture(worker, 1);
	sendPicture(worker, 2);
	await reader.cancel();
	await turn();
	assert.equal([session.holds, worker.dropped], [0, true]);
});

test('a lost session ends the stream; a refused reader fails it', async () => {
	const lost = await reading('video');
	lost.worker.onlost?.(new Error('lost'));
	assert.is((await lost.read).done, true);
	const refused = await reading('video');
	refused.worker.emit('error', { name: 'NotFoundError', message: 'no such track' });
	const error = await refused.read.catch((reason: Error) => reason);
	await turn();
	assert.is((error as Error).name, 'NotFoundError');
	assert.equal([lost.session.holds, refused.session.holds], [0, 0]);
});

test('a processor of an ended track has nothing to read', async () => {
	const session = new FakeSession();
	const stream = await createMediaDevices({ session: () => session.real }).getUserMedia({ video: true });
	const [track] = stream.getTracks();
	track!.stop();
	const reader = new MediaStreamTrackProcessor({ track: track! }).readable.getReader();
	assert.is((await reader.read()).done, true);
	assert.throws(() => new MediaStreamTrackProcessor({ track: {} as globalThis.MediaStreamTrack }), TypeError);
});

test('a frame gives its planes, in whole, in part, and where the layout has them', async () => {
	const frame = new VideoFrame(planes, init);
	const whole = new Uint8Array(frame.allocationSize());
	assert.equal(await frame.copyTo(whole), [
		{ offset: 0, stride: 4 },
		{ offset: 8, stride: 2 },
		{ offset: 10, stride: 2 },
	]);
	assert.equal(whole, planes);
	const part = new Uint8Array(6);
	await frame.copyTo(part, { rect: { x: 2, y: 0, width: 2, height: 2 } });
	assert.equal([...part], [2, 3, 6, 7, 9, 11]);
	const layout = [
		{ offset: 0, stride: 6 },
		{ offset: 12, stride: 3 },
		{ offset: 15, stride: 3 },
	];
	assert.is(frame.allocationSize({ layout }), 18);
	const padded = new Uint8Array(18);
	await frame.copyTo(padded, { layout });
	assert.equal([...padded.subarray(0, 10)], [0, 1, 2, 3, 0, 0, 4, 5, 6, 7]);
	const again = new VideoFrame(padded, { ...init, layout });
	const unpadded = new Uint8Array(12);
	await again.copyTo(unpadded);
	assert.equal(unpadded, planes);
});

test('a frame has the attributes of WebCodecs', () => {
	const frame = new VideoFrame(planes, { ...init, duration: 33 });
	const { format, codedWidth, codedHeight, displayWidth, timestamp, duration, visibleRect } = frame;
	assert.equal([format, codedWidth, codedHeight, displayWidth, timestamp, duration], ['I420', 4, 2, 4, 33_000, 33]);
	assert.equal(visibleRect!.toJSON(), { x: 0, y: 0, width: 4, height: 2, top: 0, right: 4, bottom: 2, left: 0 });
	assert.is(new VideoFrame(frame, { timestamp: 5 }).timestamp, 5);
});

test('a closed frame gives nothing, and its clone everything', async () => {
	const frame = new VideoFrame(planes, init);
	const clone = frame.clone();
	frame.close();
	assert.equal([frame.format, frame.codedWidth, frame.timestamp], [null, 0, 33_000]);
	assert.throws(() => frame.allocationSize(), /closed/);
	assert.throws(() => frame.clone(), /closed/);
	assert.is(await frame.copyTo(new Uint8Array(12)).catch((error: Error) => error.name), 'InvalidStateError');
	assert.is(clone.allocationSize(), 12);
});

test('frames of other formats and sizes are refused', async () => {
	for (const format of ['I422', 'I444', 'I420P10'] as VideoPixelFormat[]) {
		assert.throws(() => new VideoFrame(planes, { ...init, format }), /known are I420/);
	}
	assert.throws(() => new VideoFrame(planes, { ...init, format: 'YV12' as 'I420' }), TypeError);
	assert.throws(() => new VideoFrame(planes.subarray(1), init), TypeError);
	assert.throws(() => new VideoFrame(planes, { ...init, codedWidth: 0 }), TypeError);
	assert.throws(() => new VideoFrame(planes, { format: 'I420' } as VideoFrameBufferInit), TypeError);
	const frame = new VideoFrame(planes, init);
	assert.instance(await frame.copyTo(new Uint8Array(11)).catch((error) => error), TypeError);
	for (const rect of [
		{ x: 1, y: 0, width: 2, height: 2 },
		{ x: 2, y: 0, width: 4, height: 2 },
	]) {
		assert.throws(() => frame.allocationSize({ rect }), TypeError);
	}
});

test('samples are copied by plane and turned into other formats', () => {
	const data = new AudioData({
		format: 's16',
		sampleRate: 48_000,
		numberOfFrames: 3,
		numberOfChannels: 2,
		timestamp: 20_000,
		data: Int16Array.of(0, 16_384, 1, -16_384, 2, 32_767),
	});
	assert.equal([data.duration, data.numberOfFrames, data.numberOfChannels, data.timestamp], [62, 3, 2, 20_000]);
	const right = new Float32Array(3);
	data.copyTo(right, { planeIndex: 1, format: 'f32-planar' });
	assert.equal([...right], [0.5, -0.5, 32_767 / 32_768]);
	const part = new Int16Array(2);
	data.copyTo(part, { planeIndex: 0, frameOffset: 1, frameCount: 2, format: 's16-planar' });
	assert.equal([...part], [1, 2]);
	assert.is(data.allocationSize({ planeIndex: 0 }), 12);
	assert.throws(() => data.allocationSize({ planeIndex: 1 }), RangeError);
	assert.throws(() => data.copyTo(part, { planeIndex: 0 }), RangeError);
	assert.throws(() => data.allocationSize({ planeIndex: 0, frameOffset: 3 }), RangeError);
	data.close();
	assert.equal([data.format, data.numberOfFrames], [null, 0]);
	assert.throws(() => data.clone(), /closed/);
});

test('float samples are clamped when they become integers', () => {
	const data = new AudioData({
		format: 'f32-planar',
		sampleRate: 8_000,
		numberOfFrames: 2,
		numberOfChannels: 2,
		timestamp: 0,
		data: Float32Array.of(0.5, 2, -0.5, -2),
	});
	const samples = new Int16Array(4);
	data.clone().copyTo(samples, { planeIndex: 0, format: 's16' });
	assert.equal([...samples], [16_384, -16_384, 32_767, -32_768]);
});

test('a generator sends what is written, and ends with its writable', async () => {
	const session = new FakeSession();
	setContext(MediaStreamTrackGenerator, { session: () => session.real });
	const track = new MediaStreamTrackGenerator('video');
	assert.is(openTrack(track, session.real)?.id, 3);
	const writer = track.writable.getWriter();
	const frame = new VideoFrame(planes, init);
	await writer.write(frame);
	const [[header, sent]] = session.alive('FrameWriter')[0]!.written as [[object, Uint8Array]];
	assert.equal(header, { timestamp: 33_000, duration: null, format: 'I420', width: 4, height: 2, rotation: 0 });
	assert.equal(sent, planes);
	assert.is(frame.format, null);
	await writer.close();
	assert.is(track.readyState, 'ended');
	assert.ok(session.made.every(({ dropped }) => dropped));
	assert.throws(() => new MediaStreamTrackGenerator({ kind: 'text' } as never), TypeError);
});

/** A frame of a host's, of whatever format and size; its samples are their own positions. */
class HostFrame {
	readonly timestamp = 1;
	readonly duration = null;
	readonly format: string;
	readonly visibleRect: { x: number; y: number; width: number; height: number };
	readonly #asked: unknown[] = [];

	constructor(format: string, x: number, y: number, width: number, height: number) {
		this.format = format;
		this.visibleRect = { x, y, width, height };
	}

	get asked(): unknown {
		return this.#asked[0];
	}

	allocationSize({ rect, format = this.format }: { rect: { width: number; height: number }; format?: string }): number {
		return rect.width * rect.height * ({ RGBA: 4, BGRX: 4, I420A: 2.5 }[format] ?? 1.5);
	}

	async copyTo(target: Uint8Array, options: object): Promise<void> {
		this.#asked.push(options);
		for (const index of target.keys()) target[index] = index;
	}
}

async function ofHost(frame: HostFrame): Promise<{ header: object; planes: Uint8Array }> {
	const before = Object.getOwnPropertyDescriptor(globalThis, 'VideoFrame');
	Object.defineProperty(globalThis, 'VideoFrame', { value: HostFrame, configurable: true });
	try {
		return await fromFrame('video', frame);
	} finally {
		if (before) Object.defineProperty(globalThis, 'VideoFrame', before);
		else Reflect.deleteProperty(globalThis, 'VideoFrame');
	}
}

test("a host's picture goes in its own format, or in RGBA if that is known to the host alone", async () => {
	for (const [format, size] of [
		['I420', 12],
		['I420A', 20],
		['NV12', 12],
		['BGRX', 32],
	] as const) {
		const { header, planes } = await ofHost(new HostFrame(format, 0, 0, 4, 2));
		assert.equal([(header as { format: string }).format, planes.length], [format, size]);
	}
	const other = new HostFrame('I444', 0, 0, 4, 2);
	const { header } = await ofHost(other);
	assert.is((header as { format: string }).format, 'RGBA');
	assert.equal(other.asked, { rect: { x: 0, y: 0, width: 4, height: 2 }, format: 'RGBA' });
});

test("of a host's picture goes what is visible, by whole chroma samples", async () => {
	const frame = new HostFrame('I420', 3, 1, 6, 4);
	const { header, planes } = await ofHost(frame);
	assert.equal(frame.asked, { rect: { x: 4, y: 2, width: 4, height: 2 } });
	assert.equal(header, { timestamp: 1, duration: null, format: 'I420', width: 4, height: 2, rotation: 0 });
	assert.is(planes.length, 12);
	const error = await ofHost(new HostFrame('I420', 0, 0, 1, 1)).catch((error) => error);
	assert.instance(error, TypeError);
});

test('what is written goes to every session that uses it, the latest picture to one that begins to', async () => {
	const sessions = [new FakeSession(), new FakeSession(), new FakeSession()] as const;
	const [first, second, third] = sessions;
	setContext(MediaStreamTrackGenerator, { session: () => first.real });
	const track = new MediaStreamTrackGenerator('video');
	const writer = track.writable.getWriter();
	const write = (timestamp: number) => writer.write(new VideoFrame(planes, { ...init, timestamp }) as never);
	const written = () =>
		sessions.map((session) => session.alive('FrameWriter').flatMap(({ written }) => written.map(([h]) => h.timestamp)));
	await write(1);
	assert.equal(written(), [[], [], []]);
	openTrack(track, second.real);
	assert.equal(written(), [[], [1], []]);
	openTrack(track, third.real);
	await write(2);
	assert.equal(written(), [[], [1, 2], [1, 2]]);
	for (const remote of second.made) remote.onlost?.(new Error('lost'));
	assert.is(track.readyState, 'live');
	await write(3);
	assert.equal(written(), [[], [1, 2], [1, 2, 3]]);
	track.stop();
	assert.ok(third.made.every(({ dropped }) => dropped));
	assert.instance(await write(4).catch((error) => error), DOMException);
});

test('a generator refuses frames of the other kind', async () => {
	const session = new FakeSession();
	setContext(MediaStreamTrackGenerator, { session: () => session.real });
	const writer = new MediaStreamTrackGenerator({ kind: 'audio' }).writable.getWriter();
	const frame = new VideoFrame(planes, init);
	assert.instance(await writer.write(frame).catch((error) => error), TypeError);
	await writer.closed.catch(() => {});
});

test('a transferred buffer is detached and not copied; one that is transferred beside it is detached', async () => {
	const [picture, other] = [planes.slice().buffer, new ArrayBuffer(3)];
	const frame = new VideoFrame(picture, { ...init, transfer: [picture, other] });
	assert.equal([picture.byteLength, other.byteLength], [0, 0]);
	const copy = new Uint8Array(12);
	await frame.copyTo(copy);
	assert.equal(copy, planes);
	const samples = Int16Array.of(1, 2, 3, 4).buffer;
	const sound = { format: 's16', sampleRate: 8_000, numberOfFrames: 4, numberOfChannels: 1, timestamp: 0 } as const;
	const data = new AudioData({ ...sound, data: samples, transfer: [samples] });
	assert.is(samples.byteLength, 0);
	const copied = new Int16Array(4);
	data.copyTo(copied, { planeIndex: 0 });
	assert.equal([...copied], [1, 2, 3, 4]);
});

const rectangles = fc.record({
	x: fc.nat(20),
	y: fc.nat(20),
	width: fc.integer({ min: 1, max: 20 }),
	height: fc.integer({ min: 1, max: 20 }),
});

test('any part of a picture of any format is copied as it is where it is', async () => {
	await fc.assert(
		fc.asyncProperty(fc.constantFrom(...FORMATS), rectangles, fc.nat(9), async (format, part, padding) => {
			const even = { ...part, x: part.x & ~1, y: part.y & ~1 };
			const rect = format.startsWith('RGB') || format.startsWith('BGR') ? part : even;
			const size = { codedWidth: 41, codedHeight: 43 };
			const bytes = Uint8Array.from({ length: 41 * 43 * 4 }, (_, index) => (index * 31) % 251);
			const frame = new VideoFrame(bytes, { format, ...size, timestamp: 0 });
			const packed = new Uint8Array(frame.allocationSize({ rect }));
			const tight = await frame.copyTo(packed, { rect });
			const layout = tight.map(({ offset, stride }) => ({ offset: offset * (padding + 2), stride: stride + padding }));
			const spread = new Uint8Array(frame.allocationSize({ rect, layout }));
			await frame.copyTo(spread, { rect, layout });
			// A frame of that part, made of either, is the same as the part itself.
			const init = { format, codedWidth: rect.width, codedHeight: rect.height, timestamp: 0 } as const;
			for (const made of [new VideoFrame(packed, init), new VideoFrame(spread, { ...init, layout })]) {
				const again = new Uint8Array(made.allocationSize());
				await made.copyTo(again);
				assert.equal(again, packed);
			}
			const visible = new VideoFrame(bytes, { format, ...size, timestamp: 0, visibleRect: rect });
			const seen = new Uint8Array(visible.allocationSize());
			await visible.copyTo(seen);
			assert.equal(seen, packed);
		}),
	);
});

test('samples that are widened, made planar and back again are what they were', () => {
	const wider = { u8: ['u8', 's16', 's32', 'f32'], s16: ['s16', 's32', 'f32'], s32: ['s32'], f32: ['f32'] } as const;
	const arrays = { u8: Uint8Array, s16: Int16Array, s32: Int32Array, f32: Float32Array };
	const types = fc.constantFrom(...(Object.keys(wider) as (keyof typeof wider)[]));
	fc.assert(
		fc.property(
			types,
			fc.integer({ min: 1, max: 5 }),
			fc.integer({ min: 1, max: 40 }),
			fc.infiniteStream(fc.double({ min: -1, max: 1, noNaN: true })),
			(type, channels, frames, values) => {
				const scale = { u8: 127, s16: 32_767, s32: 2 ** 31 - 1, f32: 1 }[type];
				const sample = () => values.next().value! * scale + (type === 'u8' ? 128 : 0);
				const given = new arrays[type](Array.from({ length: channels * frames }, sample));
				const init = { sampleRate: 8_000, numberOfFrames: frames, numberOfChannels: channels, timestamp: 0 };
				for (const to of wider[type]) {
					for (const [first, second] of [
						[to, `${to}-planar`],
						[`${to}-planar`, to],
					] as AudioSampleFormat[][]) {
						const wide = copied(new AudioData({ ...init, format: type, data: given }), first!);
						const other = copied(new AudioData({ ...init, format: first!, data: wide }), second!);
						const back = copied(new AudioData({ ...init, format: second!, data: other }), type);
						assert.equal(new arrays[type](back.buffer), given);
					}
				}
			},
		),
	);
});

function copied(data: AudioData, format: AudioSampleFormat): Uint8Array<ArrayBuffer> {
	const planeCount = format.endsWith('planar') ? data.numberOfChannels : 1;
	const size = data.allocationSize({ planeIndex: 0, format });
	const all = new Uint8Array(size * planeCount);
	for (let planeIndex = 0; planeIndex < planeCount; planeIndex++) {
		data.copyTo(all.subarray(planeIndex * size, (planeIndex + 1) * size), { planeIndex, format });
	}
	return all;
}

async function converting(frame: VideoFrame, options: VideoFrameCopyToOptions) {
	const session = new FakeSession();
	convertIn(frame, session.real);
	const target = new Uint8Array(frame.allocationSize(options));
	const copy = frame.copyTo(target, options);
	await turn();
	return { session, target, copy, converter: session.alive('FrameConverter')[0]! };
}

test('a copy in another format is made by the worker, of whole chroma samples, while the process stays', async () => {
	const rect = { x: 1, y: 0, width: 2, height: 1 };
	const { session, target, copy, converter } = await converting(new VideoFrame(planes, init), { rect, format: 'RGBA' });
	assert.equal(converter.params, { format: 'RGBA', matrix: 'bt709', fullRange: false });
	assert.is(session.holds, 1);
	const [[header, sent]] = converter.written as [[VideoHeader, Uint8Array]];
	assert.equal([header.width, header.height], [3, 1]);
	assert.equal([...sent], [0, 1, 2, 8, 9, 10, 11]);
	converter.onmedia!(
		header as never,
		Uint8Array.from({ length: 12 }, (_, index) => index),
	);
	assert.equal(await copy, [{ offset: 0, stride: 8 }]);
	assert.equal([...target], [4, 5, 6, 7, 8, 9, 10, 11]);
	assert.equal([session.holds, converter.dropped], [0, true]);
});

test("a frame is converted in the sessions of the shim whose class made it, and is one of every shim's", async () => {
	const session = new FakeSession();
	const Bound = bindContext(VideoFrame, { session: () => session.real });
	const frame = new Bound(planes, init);
	const copy = frame.copyTo(new Uint8Array(32), { format: 'RGBA' });
	await turn();
	session.alive('FrameConverter')[0]!.onlost!(new Error('gone'));
	assert.is(await copy.catch((error: Error) => error.name), 'InvalidStateError');
	assert.ok(new VideoFrame(planes, init) instanceof Bound);
	assert.ok(frame instanceof VideoFrame);
	assert.not.ok(Object.create(VideoFrame.prototype) instanceof VideoFrame);
	const unbound = await new VideoFrame(planes, init)
		.copyTo(new Uint8Array(32), { format: 'RGBA' })
		.catch((each) => each);
	assert.match(unbound.message, 'belongs to no shim');
});

test('a conversion is asked for again after the link was cut, and fails with the session', async () => {
	const { session, copy, converter } = await converting(new VideoFrame(planes, init), { format: 'BGRX' });
	converter.onresumed!();
	assert.is(converter.written.length, 2);
	converter.onlost!(new Error('gone'));
	assert.is(await copy.catch((error: Error) => error.name), 'InvalidStateError');
	assert.equal([session.holds, converter.dropped], [0, true]);
});

function speaking() {
	const session = new FakeSession();
	setContext(MediaStreamTrackGenerator, { session: () => session.real });
	const track = new MediaStreamTrackGenerator('audio');
	openTrack(track, session.real);
	const writer = track.writable.getWriter();
	const worker = session.alive('FrameWriter')[0]!;
	const say = (milliseconds: number, timestamp = 0) => writer.write(soundOf(milliseconds, timestamp));
	const sent = () => worker.written.reduce((sum, [header]) => sum + (header as AudioHeader).numberOfFrames / 8, 0);
	return { session, track, writer, worker, say, sent };
}

function soundOf(milliseconds: number, timestamp: number, format: AudioSampleFormat = 's16'): AudioData {
	const numberOfFrames = milliseconds * 8;
	const data = Int16Array.from({ length: numberOfFrames }, (_, index) => index);
	return new AudioData({ format, sampleRate: 8_000, numberOfFrames, numberOfChannels: 1, timestamp, data });
}

test('sound is written 100 ms ahead of when it is heard, in pieces of 20 ms, and says what is queued', async () => {
	const { track, worker, say, sent } = speaking();
	const begun = performance.now();
	const written = say(300);
	void say(200, 300_000);
	assert.is(track.queuedDuration, 500_000);
	await turn();
	assert.is(sent(), 100);
	assert.equal(
		worker.written.map(([{ timestamp }]) => timestamp),
		[0, 20_000, 40_000, 60_000, 80_000],
	);
	await written;
	const took = performance.now() - begun;
	assert.ok(took >= 195 && took < 450, `${took} ms`);
	assert.ok(Math.abs(track.queuedDuration - 500_000 + took * 1_000) < 30_000);
	const all = worker.written.flatMap(([, planes]) => [...new Int16Array(planes.slice().buffer)]);
	assert.equal(
		all.slice(0, 2_400),
		Array.from({ length: 2_400 }, (_, index) => index),
	);
	track.stop();
	assert.is(track.queuedDuration, 0);
});

test('reset drops all that was written, and what is written next goes at once', async () => {
	const { track, worker, say, sent } = speaking();
	const writes = [say(300), say(200, 300_000), say(200, 500_000)];
	await turn();
	track.reset();
	assert.is(track.queuedDuration, 0);
	await Promise.all(writes);
	assert.equal([sent(), worker.discarded, worker.calls], [100, 1, [['reset', {}]]]);
	await say(40);
	assert.is(sent(), 140);
	assert.is(track.readyState, 'live');
	track.stop();
});

test('timestamps that begin anew make no gap; a gap of less than a second is waited for', async () => {
	const { track, say, sent } = speaking();
	await say(40, 9_000_000);
	await say(40, 0);
	assert.is(sent(), 80);
	const begun = performance.now();
	await say(20, 240_000);
	assert.ok(performance.now() - begun >= 150);
	track.stop();
});

test('closing waits until all is heard; abort and stop drop it', async () => {
	const closed = speaking();
	const begun = performance.now();
	void closed.say(150);
	await closed.writer.close();
	assert.ok(performance.now() - begun >= 150);
	assert.is(closed.track.readyState, 'ended');
	const aborted = speaking();
	aborted.say(5_000).catch(() => {});
	await turn();
	await aborted.writer.abort();
	assert.equal([aborted.sent(), aborted.worker.dropped, aborted.track.readyState], [100, true, 'ended']);
	const stopped = speaking();
	const write = stopped.say(5_000);
	await turn();
	stopped.track.stop();
	await write;
	assert.equal([stopped.sent(), stopped.worker.dropped], [100, true]);
});

test('planar sound is cut side by side', async () => {
	const { track, writer, worker } = speaking();
	const data = Float32Array.from({ length: 2 * 320 }, (_, index) => index);
	const init = { format: 'f32-planar', sampleRate: 8_000, numberOfFrames: 320, numberOfChannels: 2 } as const;
	await writer.write(new AudioData({ ...init, timestamp: 0, data }));
	const [[header, first], [, second]] = worker.written as [[AudioHeader, Uint8Array], [AudioHeader, Uint8Array]];
	assert.equal([header.format, header.numberOfFrames, header.numberOfChannels], ['f32-planar', 160, 2]);
	const floats = (planes: Uint8Array) => new Float32Array(planes.slice().buffer);
	assert.equal([floats(first)[0], floats(first)[160], floats(second)[0], floats(second)[319]], [0, 320, 160, 639]);
	track.stop();
});

test.run();
