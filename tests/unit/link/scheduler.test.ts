import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CHANNEL_CREDIT, FRAGMENT, type Frame, parseRecords, RECORD_HEADER } from '../../../shim/link/frames.ts';
import { Scheduler } from '../../../shim/link/Scheduler.ts';
import { type Lane, Stream } from '../../../shim/link/Stream.ts';

const ROOM = Number.MAX_SAFE_INTEGER;

function drain(scheduler: Scheduler, room = ROOM): Frame[] {
	const frames: Frame[] = [];
	for (let frame = scheduler.next(room); frame !== null; frame = scheduler.next(room)) frames.push(frame);
	return frames;
}

/** Each record as `kind:object:flags:length`. */
function describe(frames: Frame[]): string[] {
	return frames.flatMap((frame) =>
		typeof frame === 'string'
			? [frame]
			: [
					parseRecords(frame)
						.map((r) => `${r.kind}:${r.object}:${r.flags}:${r.payload.byteLength}`)
						.join(' '),
				],
	);
}

function queue(scheduler: Scheduler, id: number, lane: Lane, ...sizes: number[]): Stream {
	const stream = new Stream(id, lane);
	for (const size of sizes) {
		if (lane === 'data') scheduler.message(stream, new Uint8Array(size), false);
		else scheduler.media(stream, new Uint8Array(2), new Uint8Array(size - 6));
	}
	return stream;
}

test('control goes before audio, audio before video, video before data', () => {
	const scheduler = new Scheduler();
	queue(scheduler, 1, 'data', 10);
	queue(scheduler, 2, 'video', 20);
	queue(scheduler, 3, 'audio', 30);
	scheduler.control('{"call":1}');
	assert.equal(describe(drain(scheduler)), ['{"call":1}', '2:3:0:30', '2:2:0:20', '1:1:0:10']);
});

test('small messages share a frame, large ones are cut into fragments', () => {
	const scheduler = new Scheduler();
	queue(scheduler, 1, 'data', 10, 0, 5);
	assert.equal(describe(drain(scheduler)), ['1:1:0:10 1:1:0:0 1:1:0:5']);
	queue(scheduler, 2, 'data', FRAGMENT * 2 + 1);
	assert.equal(describe(drain(scheduler)), [`1:2:2:${FRAGMENT}`, `1:2:2:${FRAGMENT}`, '1:2:0:1']);
});

test('a ping is not starved by bulk: it waits for one fragment at most', () => {
	const scheduler = new Scheduler();
	queue(scheduler, 1, 'data', 200_000, 200_000);
	queue(scheduler, 2, 'data', 200_000);
	scheduler.next(ROOM);
	queue(scheduler, 3, 'data', 8);
	const frames = describe([scheduler.next(ROOM)!, scheduler.next(ROOM)!, scheduler.next(ROOM)!]);
	assert.ok(
		frames.some((frame) => frame.includes('1:3:0:8')),
		frames.join(),
	);
});

test('channels take turns, fragment by fragment', () => {
	const scheduler = new Scheduler();
	queue(scheduler, 1, 'data', FRAGMENT * 2);
	queue(scheduler, 2, 'data', FRAGMENT * 2);
	assert.equal(
		describe(drain(scheduler)).map((frame) => frame[2]),
		['1', '2', '1', '2'],
	);
});

test('a channel without credit waits, others go on, and credit releases it', () => {
	const scheduler = new Scheduler();
	const bulk = queue(scheduler, 1, 'data', CHANNEL_CREDIT, 100);
	drain(scheduler);
	queue(scheduler, 2, 'data', 7);
	assert.equal(describe(drain(scheduler)), ['1:2:0:7']);
	scheduler.credited(bulk, 100);
	assert.equal(describe(drain(scheduler)), ['1:1:0:100']);
});

test('where others share the bridge, a message waits while as much is under way as the trip is worth', () => {
	const scheduler = new Scheduler();
	scheduler.shared = true;
	const bulk = queue(scheduler, 1, 'data', 16_000, 300, 100, 3 * FRAGMENT);
	assert.equal(describe(drain(scheduler)), ['1:1:0:16000 1:1:0:300']);
	scheduler.credited(bulk, 16_000);
	assert.equal(describe(drain(scheduler)), ['1:1:0:100']);
	scheduler.credited(bulk, 400);
	assert.equal(describe(drain(scheduler)), ['1:1:2:65536', '1:1:2:65536', '1:1:0:65536']);
});

test('a trip is from the first message under way to its credit, and lets more follow where it is long', async () => {
	const scheduler = new Scheduler();
	scheduler.shared = true;
	const far = queue(scheduler, 1, 'data', 10);
	drain(scheduler);
	await new Promise((resolve) => setTimeout(resolve, 5));
	scheduler.message(far, new Uint8Array(20), false);
	drain(scheduler);
	scheduler.credited(far, 10);
	scheduler.message(far, new Uint8Array(60_000), false);
	assert.equal(describe(drain(scheduler)), ['1:1:0:60000']);
});

test('a full window stops all that is counted, and not media', () => {
	const scheduler = new Scheduler();
	queue(scheduler, 1, 'data', 10);
	queue(scheduler, 2, 'video', 20);
	scheduler.control('{"call":1}');
	assert.equal(describe(drain(scheduler, 5)), ['2:2:0:20']);
	assert.equal(describe(drain(scheduler)), ['{"call":1}', '1:1:0:10']);
});

test('nothing that is counted overtakes control which the window has no room for', () => {
	const scheduler = new Scheduler();
	const text = `{"new":1,"in":"${'x'.repeat(6000)}"}`;
	scheduler.control(text);
	queue(scheduler, 1, 'data', 10);
	assert.equal(drain(scheduler, 5000), []);
	assert.equal(describe(drain(scheduler)), [text, '1:1:0:10']);
});

test('a text frame in order follows the messages before it, and precedes those behind', () => {
	const scheduler = new Scheduler();
	const stream = queue(scheduler, 1, 'data', 10);
	scheduler.textInOrder(stream, '{"call":1}');
	scheduler.message(stream, new Uint8Array(20), true);
	assert.equal(describe(drain(scheduler)), ['1:1:0:10', '{"call":1}', '1:1:1:20']);
});

test('a picture is cut into chunks of which only the first begins it; discarding forgets the rest', () => {
	const scheduler = new Scheduler();
	queue(scheduler, 1, 'video', FRAGMENT * 2 + 5);
	assert.equal(describe(drain(scheduler)), [`2:1:1:${FRAGMENT}`, `2:1:3:${FRAGMENT}`, '2:1:2:5']);
	const cut = queue(scheduler, 1, 'video', FRAGMENT * 2);
	scheduler.next(ROOM);
	scheduler.discardMedia();
	assert.equal(describe(drain(scheduler)), []);
	scheduler.media(cut, new Uint8Array(2), new Uint8Array(4));
	assert.equal(describe(drain(scheduler)), ['2:1:0:10']);
});

test('a message is what its bytes were when it was queued, and its memory is free once all of it went', () => {
	const scheduler = new Scheduler();
	const stream = new Stream(1, 'data');
	const bytes = new Uint8Array(FRAGMENT + 5000).fill(7);
	scheduler.message(stream, bytes, false);
	bytes.fill(8);
	const first = scheduler.next(ROOM) as Uint8Array;
	assert.is(scheduler.buffers.kept, 0);
	const second = scheduler.next(ROOM) as Uint8Array;
	assert.is(scheduler.buffers.kept, 2 * FRAGMENT + RECORD_HEADER);
	assert.ok([first, second].every((frame) => frame.subarray(RECORD_HEADER).every((byte) => byte === 7)));
});

test('what was dropped is not sent', () => {
	const scheduler = new Scheduler();
	const stream = queue(scheduler, 1, 'data', 10);
	queue(scheduler, 2, 'data', 11);
	scheduler.discard(stream);
	assert.equal(describe(drain(scheduler)), ['1:2:0:11']);
});

test('credits side by side share a frame, in order with control', () => {
	const scheduler = new Scheduler();
	scheduler.control('{"new":1}');
	scheduler.credit(1, 5);
	scheduler.credit(2, 6, 1);
	scheduler.control('{"new":2}');
	assert.equal(describe(drain(scheduler)), ['{"new":1}', '3:1:0:4 3:2:1:4', '{"new":2}']);
});

test('every byte arrives once and in order, no frame is too large, and credit is never exceeded', () => {
	const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 300_000 })), {
		maxLength: 20,
	});
	const rooms = fc.infiniteStream(fc.integer({ min: 4096, max: 600_000 }));
	fc.assert(
		fc.property(fc.array(sizes, { minLength: 1, maxLength: 4 }), rooms, (channels, rooms) => {
			const scheduler = new Scheduler();
			const streams = channels.map((sizes, id) => queue(scheduler, id, 'data', ...sizes));
			const got = channels.map((): number[] => []);
			const partial = channels.map(() => 0);
			const underWay = channels.map(() => 0);
			for (let idle = 0; idle < 2; ) {
				const frame = scheduler.next(rooms.next().value!);
				if (frame === null) {
					idle += 1;
					streams.forEach((stream, id) => {
						scheduler.credited(stream, underWay[id]!);
						underWay[id] = 0;
					});
					continue;
				}
				idle = 0;
				assert.ok((frame as Uint8Array).byteLength <= FRAGMENT + RECORD_HEADER);
				for (const { object, flags, payload } of parseRecords(frame as Uint8Array<ArrayBuffer>)) {
					underWay[object]! += Math.max(1, payload.byteLength);
					assert.ok(underWay[object]! <= CHANNEL_CREDIT);
					partial[object]! += payload.byteLength;
					if (flags & 2) continue;
					got[object]!.push(partial[object]!);
					partial[object] = 0;
				}
			}
			assert.equal(got, channels);
		}),
		{ numRuns: 50 },
	);
});

test('credit stands for exactly the bytes that left, whatever empty messages count', () => {
	const steps = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2000 })), { maxLength: 60 });
	fc.assert(
		fc.property(steps, fc.infiniteStream(fc.integer({ min: 1, max: 3000 })), (sizes, credits) => {
			const stream = new Stream(1, 'data');
			let cost = 0;
			for (const size of sizes) {
				stream.went(size);
				cost += Math.max(1, size);
			}
			let bytes = 0;
			while (cost > 0) {
				const amount = Math.min(cost, credits.next().value!);
				cost -= amount;
				bytes += stream.credited(amount);
			}
			assert.is(
				bytes,
				sizes.reduce((sum, size) => sum + size, 0),
			);
		}),
	);
});

test.run();
