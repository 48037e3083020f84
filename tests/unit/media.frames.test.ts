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
import { setContext } from '../../shim/rpc/context.ts';
import { type FakeRemote, FakeSession } from './media.fakes.ts';

type Reader = ReadableStreamDefaultReader<globalThis.VideoFrame | globalThis.AudioData>;

const init = { format: 'I420', codedWidth: 4, codedHeight: 2, timestamp: 33_000 } as const;
/** Y 0 to 7, U 8 and 9, V 10 and 11. */
const planes = Uint8Array.from({ length: 12 }, (_, index) => index);

async function reading(
	kind: 'audio' | 'video',
	options: { maxBufferSize?: number } = {},
): Promise<{ session: FakeSession; worker: FakeRemote; reader: Reader; stop: () => void }> {
	const session = new FakeSession();
	const stream = await createMediaDevices({ session: () => session.real }).getUserMedia({ [kind]: true });
	const [track] = stream.getTracks();
	const reader = new MediaStreamTrackProcessor({ track: track!, ...options }).readable.getReader();
	await turn();
	return { session, worker: session.alive('FrameReader')[0]!, reader, stop: () => track!.stop() };
}

function sendPicture(worker: FakeRemote, timestamp: number): void {
	const header = { timestamp, duration: null, format: 'I420', width: 4, height: 2, rotation: 0 } as const;
	worker.onmedia?.(header, planes.slice());
}

function turn(): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, 0));
}

test('a processor asks for one picture, and for the next when that is read', async () => {
	const { session, worker, reader } = await reading('video');
	assert.is(worker.credits, 1);
	assert.is(session.holds, 1);
	sendPicture(worker, 1);
	await turn();
	assert.is(worker.credits, 1);
	const { value } = await reader.read();
	await turn();
	assert.equal([value!.timestamp, worker.credits], [1, 2]);
});

test('maxBufferSize is how many frames are asked for ahead', async () => {
	const { worker, reader } = await reading('video', { maxBufferSize: 3 });
	assert.is(worker.credits, 3);
	for (const timestamp of [1, 2, 3]) sendPicture(worker, timestamp);
	await turn();
	assert.is(worker.credits, 3);
	await reader.read();
	await turn();
	assert.is(worker.credits, 4);
	assert.is((await reading('audio')).worker.credits, 10);
});

test('frames that came before the end are read before it', async () => {
	const { session, worker, reader } = await reading('video');
	sendPicture(worker, 1);
	worker.emit('ended');
	assert.is((await reader.read()).value!.timestamp, 1);
	assert.is((await reader.read()).done, true);
	assert.equal([session.holds, worker.dropped], [0, true]);
});

test('cancel lets go of the reader', async () => {
	const { session, worker, reader } = await reading('video');
	await reader.cancel();
	assert.equal([session.holds, worker.dropped], [0, true]);
});

test('a lost session ends the stream; a refused reader fails it', async () => {
	const lost = await reading('video');
	lost.worker.onlost?.(new Error('lost'));
	assert.is((await lost.reader.read()).done, true);
	const refused = await reading('video');
	refused.worker.emit('error', { name: 'NotFoundError', message: 'no such track' });
	const error = await refused.reader.read().catch((reason: Error) => reason);
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
	assert.equal(visibleRect, { x: 0, y: 0, width: 4, height: 2 });
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
	assert.throws(() => new VideoFrame(planes, { ...init, format: 'RGBA' }), /I420/);
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
	await writer.write(frame as unknown as globalThis.VideoFrame);
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
		return rect.width * rect.height * ({ RGBA: 4, I420A: 2.5 }[format] ?? 1.5);
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

test("a host's picture goes as I420, whatever planes it has", async () => {
	assert.equal((await ofHost(new HostFrame('I420', 0, 0, 4, 2))).planes, planes);
	assert.equal((await ofHost(new HostFrame('I420A', 0, 0, 4, 2))).planes, planes);
	const { planes: alternating } = await ofHost(new HostFrame('NV12', 0, 0, 4, 2));
	assert.equal([...alternating], [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 9, 11]);
	const { planes: converted } = await ofHost(new HostFrame('BGRX', 0, 0, 4, 2));
	assert.is(converted.length, 12);
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
	const frame = new VideoFrame(planes, init) as unknown as globalThis.VideoFrame;
	assert.instance(await writer.write(frame).catch((error) => error), TypeError);
	await writer.closed.catch(() => {});
});

test.run();
