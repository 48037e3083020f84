import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BufferPool } from '../../../shim/link/BufferPool.ts';
import { FRAGMENT, RECORD_HEADER } from '../../../shim/link/frames.ts';

const KIB = 1024;

test('memory that was given back is taken again, by what is of about its size', () => {
	const pool = new BufferPool(1024 * KIB);
	const frame = pool.take(FRAGMENT + RECORD_HEADER);
	pool.give(frame);
	assert.is.not(pool.take(16 * KIB).buffer, frame.buffer);
	const again = pool.take(50 * KIB);
	assert.is(again.buffer, frame.buffer);
	assert.is(again.byteLength, 50 * KIB);
	assert.is.not(pool.take(50 * KIB).buffer, frame.buffer, 'once');
});

test('of a power of two nothing is wasted, with a header or without', () => {
	const pool = new BufferPool(1024 * KIB);
	for (const size of [8 * KIB, 16 * KIB, FRAGMENT, 256 * KIB]) {
		assert.is(pool.take(size).buffer.byteLength, size + RECORD_HEADER);
		assert.is(pool.take(size + RECORD_HEADER).buffer.byteLength, size + RECORD_HEADER);
	}
});

test('no more is kept than the limit, and the newest size is what is kept', () => {
	const pool = new BufferPool(256 * KIB);
	const give = (size: number, count: number) => {
		for (const bytes of Array.from({ length: count }, () => pool.take(size))) pool.give(bytes);
	};
	give(16 * KIB, 100);
	assert.is(pool.kept, 15 * (16 * KIB + RECORD_HEADER));
	give(64 * KIB, 2);
	assert.ok(pool.kept <= 256 * KIB);
	const taken = pool.kept;
	pool.take(64 * KIB);
	pool.take(64 * KIB);
	assert.is(pool.kept, taken - 2 * (64 * KIB + RECORD_HEADER));
});

test('small ones, the largest and what never came from it are not kept', () => {
	const pool = new BufferPool(4096 * KIB);
	for (const size of [0, 1, 4 * KIB, 300 * KIB]) pool.give(pool.take(size));
	pool.give(new Uint8Array(16 * KIB));
	assert.is(pool.kept, 0);
});

test('what is taken and not given back is nobody else’s', () => {
	const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 300 * KIB })));
	fc.assert(
		fc.property(sizes, fc.infiniteStream(fc.nat()), (sizes, random) => {
			const pool = new BufferPool(512 * KIB);
			const held: { bytes: Uint8Array<ArrayBuffer>; mark: number }[] = [];
			sizes.forEach((size, index) => {
				const bytes = pool.take(size);
				assert.is(bytes.byteLength, size);
				held.push({ bytes: bytes.fill(index), mark: index & 255 });
				if (random.next().value! % 2) return;
				const [free] = held.splice(random.next().value! % held.length, 1);
				assert.ok(free!.bytes.every((byte) => byte === free!.mark));
				pool.give(free!.bytes);
			});
			for (const { bytes, mark } of held) assert.ok(bytes.every((byte) => byte === mark));
		}),
		{ numRuns: 50 },
	);
});

test.run();
