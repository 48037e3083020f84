/** What a change for the worse is, and what is recorded of one. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isCore, readBaselines } from '../../wpt/runner/baselines.ts';
import { withFigures } from '../../wpt/runner/conformance.ts';
import {
	type Expectations,
	type Expected,
	judge,
	readExpectations,
	record,
	recordedPasses,
	unexplained,
} from '../../wpt/runner/expectations.ts';
import { listFiles } from '../../wpt/runner/files.ts';
import type { FileResult, SubtestStatus } from '../../wpt/runner/results.ts';
import { runChecked } from '../../wpt/runner/run.ts';
import { summarize } from '../../wpt/runner/summary.ts';

const PATH = 'webrtc/RTCError.html';
const NOTHING: Expectations = { reasons: {}, node: {}, chromium: {} };

function result(subtests: Record<string, SubtestStatus>, status: FileResult['status'] = 'OK'): FileResult {
	const listed = Object.entries(subtests).map(([name, each]) => ({ name, status: each, message: null }));
	return { path: PATH, ms: 1, status, message: null, subtests: listed };
}

const known: Expected = { subtests: 3, failures: { bad: 'because' }, varies: { now: 'because' } };

test('what is recorded is neither worse nor better', () => {
	assert.equal(judge(known, result({ good: 'PASS', bad: 'FAIL', now: 'PASS' })), { worse: [], better: [] });
	assert.equal(judge(known, result({ good: 'PASS', bad: 'TIMEOUT', now: 'FAIL' })), { worse: [], better: [] });
});

test('a subtest that fails and is not recorded is worse, one that is recorded and passes is better', () => {
	assert.equal(judge(known, result({ good: 'NOTRUN', bad: 'PASS', now: 'PASS' })), {
		worse: ['fails: good'],
		better: ['passes: bad'],
	});
	assert.equal(judge(undefined, result({ good: 'PASS', bad: 'FAIL' })).worse, ['fails: bad']);
});

test('subtests that are not heard of are worse, but for those that are recorded to fail', () => {
	assert.equal(judge(known, result({ bad: 'FAIL', now: 'PASS' })).worse, ['fewer than the 3 recorded subtests']);
	assert.equal(judge(known, result({ good: 'PASS' })), { worse: [], better: [] });
});

test('an end that is not a good one is worse, a good one where another is recorded is better', () => {
	const all = { good: 'PASS', bad: 'FAIL', now: 'PASS' } as const;
	assert.equal(judge(known, result(all, 'TIMEOUT')).worse, ['ends with TIMEOUT']);
	const ending = { ...known, harness: 'because' };
	assert.equal(judge(ending, result(all, 'TIMEOUT')), { worse: [], better: [] });
	assert.equal(judge(ending, result(all)).better, ['ends well']);
});

test('only what is worse in three runs is, and each of them has more patience', async () => {
	const asked: number[] = [];
	const runs = (...results: FileResult[]) => ({
		run: async (_url: string, _timeout: number, patience: number) => {
			asked.push(patience);
			return results.shift()!;
		},
	});
	const check = (environment: ReturnType<typeof runs>) =>
		runChecked(environment, { path: PATH, url: '/', long: false }, 1, (each) => judge(known, each));
	const [fine, one, other] = [{ good: 'PASS' }, { one: 'FAIL' }, { other: 'FAIL' }] as const;

	assert.equal((await check(runs(result({ ...fine, ...one }), result(fine)))).verdict.worse, []);
	assert.equal(asked.splice(0), [1, 2]);
	const both = result({ ...fine, ...one, ...other });
	assert.equal((await check(runs(both, result({ ...fine, ...one }), both))).verdict.worse, ['fails: one']);
	assert.equal(asked.splice(0), [1, 2, 3]);
	assert.equal((await check(runs(result({ ...fine, ...one }), result({ ...fine, ...other })))).verdict.worse, []);
	assert.equal((await check(runs(result(fine)))).verdict.worse, []);
});

test('recording keeps the reasons that are known, and asks for the others', () => {
	const before = { ...NOTHING, node: { [PATH]: known } };
	const after = record(before, 'node', [result({ worse: 'FAIL', bad: 'FAIL', now: 'FAIL', good: 'PASS' }, 'ERROR')]);
	assert.equal(after.node[PATH], {
		subtests: 4,
		harness: '?',
		failures: { bad: 'because', worse: '?' },
		varies: { now: 'because' },
	});
	assert.is(recordedPasses(after.node[PATH]!), 1);
	assert.equal(record(after, 'node', [result({ bad: 'PASS' })]).node[PATH], { subtests: 1, varies: known.varies });
	assert.equal(before.node[PATH], known);
});

test('a failure without a sentence is named, and a sentence without a failure', () => {
	const recorded = { ...NOTHING, reasons: { because: 'So.', spare: 'Never.' }, node: { [PATH]: known } };
	assert.equal(unexplained(recorded), ['spare']);
	const asking = { [PATH]: { subtests: 1, harness: '?', failures: { bad: '?' } } };
	assert.equal(unexplained({ ...NOTHING, chromium: asking }), [
		`chromium: ${PATH}: bad`,
		`chromium: ${PATH}: (its end)`,
	]);
});

test('a subtest that Chromium enumerates and nobody heard of counts as failed', () => {
	assert.equal(summarize('node', [result({ a: 'PASS', b: 'FAIL' })]), [
		'node: 1 of 21 (4.8 %), webrtc/, what needs no rendering (1 files)',
		'node: 1 passed, 1 failed, in 1 files',
	]);
});

test('three thirds of the files are all files', () => {
	const all = listFiles();
	const thirds = ['1/3', '2/3', '3/3'].map((shard) => listFiles({ shard }));
	assert.equal(thirds.flat().sort(), [...all].sort());
	for (const third of thirds) assert.ok(third.length > all.length / 5);
	assert.is(listFiles({ core: true }).length, 105);
	assert.equal(listFiles({ words: ['RTCError.html'] }), [PATH]);
	assert.throws(() => listFiles({ shard: '4/3' }), /1\/3/);
});

test('every failure that is recorded has a reason', () => {
	assert.equal(unexplained(readExpectations()), []);
});

test('93 % of the subtests that need no rendering pass, as recorded, in both environments', () => {
	const core = readBaselines().filter(isCore);
	const total = core.reduce((sum, { subtests }) => sum + subtests, 0);
	assert.is(total, 1458);
	for (const name of ['node', 'chromium'] as const) {
		const files = readExpectations()[name];
		const passed = core.reduce((sum, { path, subtests }) => sum + Math.min(recordedPasses(files[path]!), subtests), 0);
		assert.ok(passed >= 0.93 * total, `${name}: ${passed} of ${total}`);
	}
});

test("the documents' figures are those that are recorded", () => {
	const page = readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'conformance.md'), 'utf8');
	assert.is(withFigures(page, readExpectations()), page);
});

test.run();
