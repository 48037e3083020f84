import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FrameReader } from '../../../bridge/FrameReader.ts';
import { BufferPool } from '../../../shim/link/BufferPool.ts';

type Frame = [payload: string, binary: boolean];

function encode(frames: Frame[]): Buffer {
	return Buffer.concat(
		frames.flatMap(([payload, binary]) => {
			const header = Buffer.alloc(4);
			header.writeUInt32BE(Buffer.byteLength(payload) + (binary ? 2 ** 31 : 0));
			return [header, Buffer.from(payload)];
		}),
	);
}

/** Reads `bytes` in pieces of the lengths `cuts`, all through one buffer, as a socket does. */
function read(bytes: Buffer, cuts: Iterable<number>): Frame[] {
	const came: [Buffer, boolean][] = [];
	const reader = new FrameReader(new BufferPool(0), (...frame) => came.push(frame));
	const buffer = Buffer.alloc(bytes.length);
	let offset = 0;
	for (const cut of [...cuts, bytes.length]) {
		const length = bytes.copy(buffer, 0, offset, offset + cut);
		reader.read(buffer.subarray(0, length));
		buffer.fill(0xee);
		offset += length;
	}
	return came.map(([payload, binary]) => [payload.toString(), binary]);
}

test('a stream that is cut at any two places has the same frames, empty ones too', () => {
	const frames: Frame[] = [
		['{}', false],
		['', true],
		['abc', true],
		['', false],
	];
	const bytes = encode(frames);
	for (let first = 0; first <= bytes.length; first++) {
		for (let second = 0; first + second <= bytes.length; second++) assert.equal(read(bytes, [first, second]), frames);
	}
});

test('however a stream is cut, its frames are those that were sent, large ones too', () => {
	const payload = fc.oneof(
		fc.string(),
		fc.integer({ min: 4000, max: 100_000 }).map((size) => `${size}`.repeat(size).slice(0, size)),
	);
	fc.assert(
		fc.property(
			fc.array(fc.tuple(payload, fc.boolean())),
			fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 80_000 }))),
			(frames, cuts) => assert.equal(read(encode(frames), cuts), frames),
		),
		{ numRuns: 50 },
	);
});

test.run();
