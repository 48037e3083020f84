import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BufferPool } from '../../../shim/link/BufferPool.ts';
import { Tail } from '../../../shim/link/Tail.ts';

const SIZE = 20_000;

/** A tail with `count` frames; `given` are those that the pool got back, by their number. */
function open(count: number) {
	const given: number[] = [];
	const numbers = new Map<ArrayBufferLike, number>();
	const pool = new BufferPool(1 << 20);
	const give = pool.give.bind(pool);
	pool.give = (bytes) => {
		given.push(numbers.get(bytes.buffer)!);
		give(bytes);
	};
	const tail = new Tail(1 << 20, pool);
	const push = () => {
		const frame = pool.take(SIZE);
		numbers.set(frame.buffer, numbers.size + 1);
		tail.push(frame);
	};
	for (let i = 0; i < count; i++) push();
	return { tail, given, push };
}

test('the memory of a frame is free when it was acknowledged, and once', () => {
	const { tail, given } = open(3);
	tail.acknowledge(2);
	tail.acknowledge(2);
	tail.acknowledge(1);
	assert.equal(given, [1, 2]);
	assert.is(tail.room, (1 << 20) - SIZE);
	assert.throws(() => tail.acknowledge(4), /ack 4 of 3 frames/);
	tail.acknowledge(3);
	assert.equal(given, [1, 2, 3]);
});

test('what was sent before a resume is not used again, since an earlier socket may still hold it', () => {
	const { tail, given, push } = open(4);
	tail.acknowledge(1);
	assert.is(tail.resume(2).length, 2);
	assert.equal(given, [1]);
	push();
	tail.acknowledge(4);
	assert.equal(given, [1]);
	tail.acknowledge(5);
	assert.is(given.length, 2);
	assert.is.not(given[1], 2);
});

test('a resume gives what is to be sent again, in order, text too', () => {
	const { tail } = open(1);
	tail.push('{"call":1}');
	tail.push('{"call":2}');
	assert.equal(tail.resume(1), ['{"call":1}', '{"call":2}']);
	assert.throws(() => tail.resume(4), /ack 4 of 3 frames/);
});

test.run();
