import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { MinuteLog } from '../../../bridge/MinuteLog.ts';
import { Suspects } from '../../../bridge/Suspects.ts';
import type { LogRecord } from '../../../shim/link/log.ts';

test('five wrong tokens cost nothing, further ones twice as much each, a second at most', () => {
	const suspects = new Suspects();
	const delays = Array.from({ length: 12 }, () => {
		const delay = suspects.delay('a', 0);
		suspects.note('a', 0);
		return delay;
	});
	assert.equal(delays, [0, 0, 0, 0, 0, 50, 100, 200, 400, 800, 1_000, 1_000]);
	for (let n = 0; n < 10_000; n++) suspects.note('a', 0);
	assert.is(suspects.delay('a', 0), 1_000);
	assert.is(suspects.delay('b', 0), 0);
});

test('a minute after its last wrong token an address is as good as any', () => {
	const suspects = new Suspects();
	for (let n = 0; n < 8; n++) suspects.note('a', n * 59_000);
	const last = 7 * 59_000;
	assert.ok(suspects.delay('a', last + 59_999) > 0);
	assert.is(suspects.delay('a', last + 60_000), 0);
	suspects.note('a', last + 60_000);
	assert.is(suspects.delay('a', last + 60_000), 0);
});

test('of more addresses than are remembered those go that showed a wrong token longest ago', () => {
	const suspects = new Suspects();
	for (let n = 0; n < 8; n++) for (const address of ['old', 'lasting']) suspects.note(address, 0);
	for (let n = 0; n < 2_000; n++) {
		suspects.note(`address ${n}`, 0);
		if (n % 100 === 0) suspects.note('lasting', 0);
	}
	assert.is(suspects.size, 1_024);
	assert.is(suspects.delay('old', 0), 0);
	assert.is(suspects.delay('lasting', 0), 1_000);
});

/** A log whose minutes pass when the test says so. */
function minutes() {
	const told: LogRecord[] = [];
	const due = new Set<() => void>();
	const log = new MinuteLog(
		(record) => told.push(record),
		(ms, run) => {
			assert.is(ms, 60_000);
			due.add(run);
			return () => due.delete(run);
		},
	);
	const pass = () => {
		for (const run of [...due]) {
			due.delete(run);
			run();
		}
	};
	return { log, pass, due, take: () => told.splice(0).map(({ message }) => message) };
}

test('the first time is told at once, what follows once a minute with who did it most', () => {
	const { log, pass, take } = minutes();
	log.note('a wrong token was shown', '192.0.2.1');
	assert.equal(take(), ['a wrong token was shown (from 192.0.2.1)']);
	for (let n = 0; n < 30; n++) log.note('a wrong token was shown', '192.0.2.7');
	for (let n = 0; n < 7; n++) log.note('a wrong token was shown', '192.0.2.1');
	assert.equal(take(), []);
	pass();
	assert.equal(take(), ['a wrong token was shown (in the last minute 37 more, 30 of them from 192.0.2.7)']);
	log.note('a wrong token was shown', '192.0.2.1');
	pass();
	assert.equal(take(), ['a wrong token was shown (in the last minute 1 more, 1 of them from 192.0.2.1)']);
});

test('after a minute of silence the next time is a first one, and nothing waits meanwhile', () => {
	const { log, pass, due, take } = minutes();
	log.note('it was full', 'a');
	pass();
	assert.is(due.size, 0);
	log.note('it was full', 'b');
	assert.equal(take(), ['it was full (from a)', 'it was full (from b)']);
});

test('different things are told apart, and at the end what was not told yet', () => {
	const { log, due, take } = minutes();
	for (const what of ['one', 'one', 'another']) log.note(what, 'a');
	assert.equal(take(), ['one (from a)', 'another (from a)']);
	log.close();
	assert.equal(take(), ['one (in the last minute 1 more, 1 of them from a)']);
	assert.is(due.size, 0);
});

test('of more addresses than are counted apart the others count together', () => {
	const { log, pass, take } = minutes();
	for (let n = 0; n <= 5_000; n++) log.note('it was full', `address ${n}`);
	pass();
	assert.equal(take().slice(1), ['it was full (in the last minute 5000 more, 4000 of them from others)']);
});

test.run();
