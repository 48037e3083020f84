import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LinkError, RefusedError } from '../../../shim/link/options.ts';
import { Retries } from '../../../shim/link/Retries.ts';

const SECONDS = { absent: 5, full: 60 };
const absent = new LinkError(1006, 'no bridge');
const full = new LinkError(4003, '64 sessions exist');
const refused = (status: number) => new RefusedError('ws://x', { status, reason: '' });

/** The times of the attempts that follow each other while each fails with `error` at once; ends where they end. */
function attempts(retries: Retries, error: Error, random = 1): number[] {
	const times: number[] = [];
	for (let now = 0; ; ) {
		const retry = retries.next(error, now, random);
		if (retry === null) return times;
		now += retry.pause;
		times.push(now);
	}
}

test('a bridge that is absent is tried for 5 s, with pauses that grow to 2 s', () => {
	const times = attempts(new Retries(false, SECONDS, 0), absent);
	assert.equal(times, [50, 150, 350, 750, 1_550, 3_150, 5_000]);
});

test('a bridge that is full is tried for 60 s, with pauses that grow to 8 s', () => {
	const times = attempts(new Retries(false, SECONDS, 0), full);
	assert.equal(times, [500, 1_500, 3_500, 7_500, 15_500, 23_500, 31_500, 39_500, 47_500, 55_500, 60_000]);
});

test('pauses differ by up to a half, and no attempt is made later than the deadline', () => {
	fc.assert(
		fc.property(
			fc.constantFrom(absent, full),
			fc.array(fc.double({ min: 0, max: 0.999, noNaN: true })),
			(error, randoms) => {
				const retries = new Retries(false, SECONDS, 0);
				const limit = (error === full ? SECONDS.full : SECONDS.absent) * 1_000;
				let now = 0;
				for (const random of randoms) {
					const retry = retries.next(error, now, random);
					assert.is(retry === null, now >= limit);
					if (retry === null) return;
					assert.ok(retry.pause > 0 && retry.pause <= 8_000);
					now += retry.pause;
					assert.ok(now <= limit);
				}
			},
		),
	);
	assert.is(new Retries(false, SECONDS, 0).next(full, 0, 0)!.pause, 250);
});

test('each kind of obstacle is announced once, with its own time', () => {
	const retries = new Retries(false, SECONDS, 0);
	const announced = [absent, absent, full, absent, full].map((error) => retries.next(error, 0, 0)!.announced);
	assert.equal(announced, [5, null, 60, null, null]);
});

test('a bridge that was full a moment ago is absent from now on, and the time of its fullness goes on', () => {
	const retries = new Retries(false, SECONDS, 0);
	retries.next(full, 0, 0);
	retries.next(full, 40_000, 0);
	assert.ok(retries.next(absent, 44_000, 0));
	assert.is(retries.patience(44_000), 1_000);
	assert.ok(retries.next(full, 59_000, 0));
	assert.is(retries.next(full, 60_000, 0), null);
});

test('1013 is tried again as 4003 is, 503 and a cut as an absent bridge, and what stays so not at all', () => {
	const announced = (error: Error) => new Retries(false, SECONDS, 0).next(error, 0, 0)?.announced ?? null;
	assert.is(announced(new LinkError(1013, '')), 60);
	for (const error of [refused(503), refused(429), absent, new Error('whatever')]) assert.is(announced(error), 5);
	for (const code of [4000, 4001, 4002, 4004, 4005, 4006, 4007]) assert.is(announced(new LinkError(code, '')), null);
	for (const status of [400, 403, 421]) assert.is(announced(refused(status)), null);
});

test('a session that is to be taken up is worth every attempt, until the bridge itself says no', () => {
	const retries = new Retries(true, { absent: 30, full: 60 }, 0);
	for (const error of [refused(404), refused(503), absent, new LinkError(1013, '')]) {
		assert.ok(retries.next(error, 29_000, 0));
	}
	assert.is(retries.next(absent, 30_000, 0), null);
	for (const code of [4003, 4004]) assert.is(new Retries(true, SECONDS, 0).next(new LinkError(code, ''), 0, 0), null);
});

test('who has no time for a full bridge gives up at once', () => {
	assert.is(new Retries(false, { absent: 5, full: 0 }, 0).next(full, 0, 0), null);
});

test.run();
