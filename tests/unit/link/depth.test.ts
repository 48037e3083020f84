import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Depth } from '../../../shim/link/Depth.ts';
import { CHANNEL_CREDIT } from '../../../shim/link/frames.ts';

const KIB = 1024;

/** A depth, and what makes a trip of so many milliseconds. */
function measured(): { depth: Depth; wait(ms: number): void; trip(ms: number): void } {
	let now = 5;
	const depth = new Depth(() => now);
	const wait = (ms: number) => {
		now += ms;
	};
	const trip = (ms: number) => {
		depth.begin();
		wait(ms);
		depth.end();
	};
	return { depth, wait, trip };
}

test('at first, and on a short trip, 16 KiB may be under way, or one message of any size', () => {
	const { depth, trip } = measured();
	for (let i = 0; i < 2; i++) {
		assert.ok(depth.admits(6 * KIB, 10 * KIB));
		assert.not(depth.admits(6 * KIB + 1, 10 * KIB));
		assert.ok(depth.admits(256 * KIB, 0));
		trip(0.2);
	}
});

test('a longer trip is worth more, up to the credit of a channel', () => {
	const { depth, trip } = measured();
	trip(2);
	assert.is(depth.limit, 80_000);
	const far = measured();
	far.trip(100);
	assert.is(far.depth.limit, CHANNEL_CREDIT);
});

test('the shortest trip counts, until trips have become longer for good', () => {
	const { depth, trip } = measured();
	trip(1);
	trip(3);
	assert.ok(depth.limit < 41_000);
	for (let i = 0; i < 200; i++) trip(3);
	assert.is(depth.limit, 120_000);
	trip(1);
	assert.is(depth.limit, 40_000);
});

test('what is credited without a trip having begun measures nothing', () => {
	const { depth, wait, trip } = measured();
	trip(1);
	wait(50);
	depth.end();
	assert.is(depth.limit, 40_000);
});

test('a channel that always has something under way pauses to measure, more rarely where a trip is long', () => {
	for (const { ms, fresh } of [
		{ ms: 1, fresh: 1000 },
		{ ms: 100, fresh: 2000 },
	]) {
		const { depth, wait, trip } = measured();
		trip(ms);
		wait(fresh - 10);
		assert.ok(depth.admits(KIB, KIB));
		wait(20);
		assert.not(depth.admits(KIB, KIB));
		depth.begin();
		assert.ok(depth.admits(KIB, KIB), 'while it is measured, more may follow');
	}
});

test('where only the least is under way anyway, there is nothing to pause for', () => {
	const { depth, wait, trip } = measured();
	trip(0.1);
	wait(10_000);
	assert.ok(depth.admits(KIB, KIB));
});

test.run();
