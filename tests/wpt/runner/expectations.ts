/**
 * What is known to fail, and why. tests/wpt/expectations.json has, for each environment and file, how many subtests
 * there are and the reason of each that fails: a key of `reasons`, so that one sentence serves many.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileResult } from './results.ts';

const FILE = join(import.meta.dirname, '..', 'expectations.json');

/** What a failure has instead of a reason until somebody finds it. */
const NO_REASON = '?';

/** Subtests by name, each with its reason. */
type Reasons = Record<string, string>;

export interface Expected {
	/** How many there are when the file ends as recorded. */
	readonly subtests: number;
	/** Why the file does not end well, if it does not. */
	readonly harness?: string;
	readonly failures?: Reasons;
	/** Subtests that fail in some runs only: neither outcome is news. */
	readonly varies?: Reasons;
}

export type EnvironmentName = 'node' | 'chromium';

export interface Expectations extends Record<EnvironmentName, Record<string, Expected>> {
	readonly reasons: Reasons;
}

export interface Verdict {
	/** What is worse than recorded; the same fault has the same words in each run. */
	readonly worse: readonly string[];
	/** What is better: expectations.json is behind. */
	readonly better: readonly string[];
}

export function readExpectations(): Expectations {
	return JSON.parse(readFileSync(FILE, 'utf8'));
}

export function writeExpectations(expectations: Expectations): void {
	writeFileSync(FILE, `${JSON.stringify(expectations, null, '\t')}\n`);
}

/** Compares a file's result with what is recorded; of a file that is not, everything should pass. */
export function judge(expected: Expected = { subtests: 0 }, result: FileResult): Verdict {
	const { failures = {}, varies = {} } = expected;
	const heard = new Set(result.subtests.map(({ name }) => name));
	const failed = failedNames(result);
	const unheard = Object.keys({ ...failures, ...varies }).filter((name) => !heard.has(name));
	const worse = failed.filter((name) => !(name in failures || name in varies)).map((name) => `fails: ${name}`);
	if (result.subtests.length + unheard.length < expected.subtests) {
		worse.push(`fewer than the ${expected.subtests} recorded subtests`);
	}
	if (result.status !== 'OK' && !expected.harness) worse.push(`ends with ${result.status}`);
	const better = Object.keys(failures)
		.filter((name) => heard.has(name) && !failed.includes(name))
		.map((name) => `passes: ${name}`);
	if (result.status === 'OK' && expected.harness) better.push('ends well');
	return { worse, better };
}

/** The results in the place of what was recorded; a failure that was known keeps its reason. */
export function record(
	expectations: Expectations,
	name: EnvironmentName,
	results: readonly FileResult[],
): Expectations {
	const files = { ...expectations[name] };
	for (const result of results) {
		const { harness = NO_REASON, failures: known = {}, varies } = files[result.path] ?? {};
		const failures = failedNames(result)
			.filter((subtest) => !(subtest in (varies ?? {})))
			.map((subtest) => [subtest, known[subtest] ?? NO_REASON] as const);
		files[result.path] = {
			subtests: result.subtests.length,
			...(result.status !== 'OK' && { harness }),
			...(failures.length > 0 && { failures: Object.fromEntries(failures.sort(byName)) }),
			...(varies && { varies }),
		};
	}
	return { ...expectations, [name]: Object.fromEntries(Object.entries(files).sort(byName)) };
}

/** Failures whose reason is none of the sentences, and sentences that are the reason of none. */
export function unexplained(expectations: Expectations): string[] {
	const { reasons } = expectations;
	const used = new Set<string>();
	const faults: string[] = [];
	for (const name of ['node', 'chromium'] as const) {
		for (const [path, { failures, varies, harness }] of Object.entries(expectations[name])) {
			const given = { ...failures, ...varies, ...(harness !== undefined && { '(its end)': harness }) };
			for (const [subtest, reason] of Object.entries(given)) {
				used.add(reason);
				if (!(reason in reasons)) faults.push(`${name}: ${path}: ${subtest}`);
			}
		}
	}
	return [...faults, ...Object.keys(reasons).filter((reason) => !used.has(reason))];
}

/** How many subtests pass in every run. */
export function recordedPasses({ subtests, failures = {}, varies = {} }: Expected): number {
	return subtests - Object.keys(failures).length - Object.keys(varies).length;
}

function failedNames({ subtests }: FileResult): string[] {
	return subtests.filter(({ status }) => status !== 'PASS').map(({ name }) => name);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
	return a < b ? -1 : 1;
}
