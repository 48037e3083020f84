import { array, assert as check, constantFrom, record as fields, nat, property } from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LineQuota, PER_KIND, PER_SESSION } from '../../../../bridge/log/LineQuota.ts';
import type { LogRecord } from '../../../../shim/link/log.ts';

function line(message: string, kind = 'refused', session?: string): LogRecord {
	return { level: 'warn', source: 'bridge', kind, message, fields: session ? { session } : {} };
}

const numbered = (count: number, kind?: string, session?: string) =>
	Array.from({ length: count }, (_, index) => line(`line ${index}`, kind, session));

/** How many of the lines are written. */
const admitted = (quota: LineQuota, lines: LogRecord[]) => lines.filter((each) => quota.admit(each)).length;

test('of a kind so many lines are written in a minute, and the number of the others is told at its end', () => {
	const quota = new LineQuota();
	assert.is(admitted(quota, numbered(PER_KIND + 341)), PER_KIND);
	assert.is(admitted(quota, [line('another', 'worker-died')]), 1);
	assert.equal(quota.turn(), [
		{
			level: 'warn',
			source: 'bridge',
			kind: 'refused',
			message: 'and 341 more of these: refused',
			fields: { more: 341 },
		},
	]);
	assert.equal(quota.turn(), []);
	assert.is(admitted(quota, numbered(PER_KIND + 1)), PER_KIND);
});

test('the same line is written once a minute', () => {
	const quota = new LineQuota();
	assert.is(admitted(quota, [line('a'), line('a'), line('b'), line('a')]), 2);
	assert.is(quota.turn()[0]!.fields!.more, 2);
	assert.is(admitted(quota, [line('a')]), 1);
});

test('one session leaves room for the lines of others', () => {
	const quota = new LineQuota();
	assert.is(admitted(quota, numbered(1000, 'session-broke', 'loud')), PER_SESSION);
	assert.is(admitted(quota, [line('of the quiet one', 'session-broke', 'quiet')]), 1);
});

test('whoever debugs sees more', () => {
	const quota = new LineQuota(3);
	assert.is(admitted(quota, numbered(1000)), 3 * PER_KIND);
});

test('whatever comes, a minute has a bounded number of lines, and each line is written or counted', () => {
	const kind = nat(500).map((number) => `kind-${number}`);
	const lines = array(fields({ kind, message: nat(200), session: constantFrom('', 'a', 'b', 'c') }), {
		minLength: 5_000,
		maxLength: 5_000,
	});
	check(
		property(lines, (all) => {
			const quota = new LineQuota();
			const written = admitted(
				quota,
				all.map(({ kind, message, session }) => line(String(message), kind, session)),
			);
			const more = quota.turn().map((each) => each.fields!.more as number);
			assert.ok(written <= 65 * PER_KIND, `${written}`);
			assert.ok(more.length <= 65, `${more.length}`);
			assert.is(written + more.reduce((sum, each) => sum + each, 0), all.length);
		}),
		{ numRuns: 10, endOnFailure: true },
	);
});

test.run();
