/**
 * What is known to fail, and why. tests/wpt/expectations.json has, for each environment and file, how many subtests
 * there are and the reason of each that fails: a key of `reasons`, so that one sentence serves many.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileResult } from './results.ts';

const FILE = join(import.meta.dirname, '..', 'expectations.json');

interface Expected {
	subtests: number;
	/** How the file ends, if not well: `TIMEOUT: reason`. */
	harness?: string;
	failures?: Record<string, string>;
}

export type EnvironmentName = 'node' | 'chromium';

interface Expectations extends Record<EnvironmentName, Record<string, Expected>> {
	reasons: Record<string, string>;
}

export interface Verdict {
	/** What is worse than recorded. */
	readonly worse: string[];
	/** What is better: expectations.json is behind. */
	readonly better: string[];
}

export function readExpectations(): Expectations {
	return JSON.parse(readFileSync(FILE, 'utf8'));
}

/** Compares a file's result with what is recorded. */
export function judge(expected: Expected | undefined, result: FileResult): Verdict {
	const known = expected?.failures ?? {};
	const failed = failedNames(result);
	const worse = [...failed].filter((name) => !(name in known)).map((name) => `fails: ${name}`);
	const better = Object.keys(known).filter((name) => !failed.has(name) && wasHeard(result, name));
	const missing = (expected?.subtests ?? 0) - result.subtests.length;
	const gone = Object.keys(known).filter((name) => !wasHeard(result, name)).length;
	if (missing > gone) worse.push(`${missing} of ${expected!.subtests} subtests were not heard of`);
	if (result.status !== 'OK' && !expected?.harness) worse.push(`ends with ${result.status}: ${result.message}`);
	if (result.status === 'OK' && expected?.harness) better.push('(ends well)');
	return { worse, better: better.map((name) => `passes: ${name}`) };
}

/** Records results; a failure that was known keeps its reason, a new one has `?` until somebody finds it. */
export function record(name: EnvironmentName, results: readonly FileResult[]): void {
	const expectations = readExpectations();
	const files = expectations[name];
	for (const result of results) {
		const before = files[result.path];
		const failures = [...failedNames(result)].sort().map((each) => [each, before?.failures?.[each] ?? '?']);
		files[result.path] = {
			subtests: result.subtests.length,
			...(result.status !== 'OK' && { harness: before?.harness ?? `${result.status}: ?` }),
			...(failures.length > 0 && { failures: Object.fromEntries(failures) }),
		};
	}
	expectations[name] = Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
	writeFileSync(FILE, `${JSON.stringify(expectations, null, '\t')}\n`);
}

/** Failures whose reason is none of the sentences. */
export function unexplained(name: EnvironmentName): string[] {
	const { reasons, [name]: files } = readExpectations();
	return Object.entries(files).flatMap(([path, { failures = {}, harness }]) => [
		...Object.entries(failures)
			.filter(([, reason]) => !(reason in reasons))
			.map(([subtest]) => `${path}: ${subtest}`),
		...(harness?.endsWith('?') ? [`${path}: ${harness}`] : []),
	]);
}

function failedNames({ subtests }: FileResult): Set<string> {
	return new Set(subtests.filter(({ status }) => status !== 'PASS').map(({ name }) => name));
}

function wasHeard({ subtests }: FileResult, name: string): boolean {
	return subtests.some((subtest) => subtest.name === name);
}
