import { type Bridge, startBridge } from '../../../bridge/server.ts';
import { type EnvironmentName, type Expectations, judge, type Verdict } from './expectations.ts';
import { nodeEnvironment } from './node.ts';
import { type Environment, type FileResult, passes } from './results.ts';
import { startServer } from './server.ts';
import { expandTest, type TestFile } from './testFile.ts';

export interface RunOptions {
	/** Where the tests are. */
	readonly tests: string;
	/** Below that folder. */
	readonly files: readonly string[];
	/** Pages to leave out. */
	readonly skip?: (page: TestFile) => boolean;
	/** How many files run at once. */
	readonly concurrency: number;
	/** Factor of all timeouts, for a machine that is slow or busy. */
	readonly patience: number;
	/** What to compare with; a file that is worse runs again, up to three times in all. Without, nothing is compared. */
	readonly expectations?: Expectations;
	readonly log: (line: string) => void;
	/** Called after each file with all results so far, so that a run cut short leaves what it has. */
	readonly onresult?: (results: readonly FileResult[]) => void;
}

export interface Checked {
	readonly result: FileResult;
	/** Of all runs: worse is what was worse in each. */
	readonly verdict: Verdict;
}

/** For a file whose harness does not end it; testharness.js gives up after 10 s, or 60 s for those that say so. */
const TIMEOUT_MS = 30_000;
const LONG_TIMEOUT_MS = 90_000;
const ATTEMPTS = 3;

/** Runs test files in an environment, over a bridge of their own. */
export async function runFiles(name: EnvironmentName, options: RunOptions): Promise<Checked[]> {
	const server = await startServer(options.tests);
	const bridge = await startBridge({ graceSeconds: 1, log: () => {} });
	try {
		await bridge.ready;
		const environment = await openEnvironment(name, server.origin, bridge);
		try {
			options.log(`${name}: ${await environment.version()}`);
			return await runQueue(name, environment, options);
		} finally {
			await environment.close();
		}
	} finally {
		await bridge.close();
		server.close();
	}
}

async function openEnvironment(name: EnvironmentName, origin: string, bridge: Bridge): Promise<Environment> {
	if (name === 'node') return nodeEnvironment(origin, bridge);
	// Playwright and esbuild take a second to load.
	const { chromiumEnvironment } = await import('./chromium.ts');
	return chromiumEnvironment(origin, bridge);
}

async function runQueue(name: EnvironmentName, environment: Environment, options: RunOptions): Promise<Checked[]> {
	const { tests, files, skip, concurrency, expectations, log, onresult } = options;
	const pages = files.flatMap((path) => expandTest(tests, path)).filter((page) => !skip?.(page));
	const done: Checked[] = [];
	const queue = pages.entries();
	const work = async () => {
		for (const [index, page] of queue) {
			const checked = await runChecked(environment, page, options.patience, (result) =>
				expectations ? judge(expectations[name][page.path], result) : { worse: [], better: [] },
			);
			done[index] = checked;
			const { result } = checked;
			onresult?.(done.filter(Boolean).map((each) => each.result));
			const status = result.status === 'OK' ? '' : ` ${result.status}`;
			log(
				`${index + 1}/${pages.length} ${passes(result)}/${result.subtests.length} ${result.path} (${result.ms} ms)${status}`,
			);
			for (const line of checked.verdict.worse) log(`WORSE ${result.path} ${line}`);
			for (const line of checked.verdict.better) log(`warning: ${result.path} ${line}, which is not recorded`);
		}
	};
	await Promise.all(Array.from({ length: concurrency }, work));
	return done;
}

/** Runs a file, and once more, with more patience, as long as something is worse that was worse each time. */
export async function runChecked(
	environment: Pick<Environment, 'run'>,
	page: TestFile,
	patience: number,
	compare: (result: FileResult) => Verdict,
): Promise<Checked> {
	let worse: readonly string[] | null = null;
	for (let attempt = 1; ; attempt++) {
		const result = await runFile(environment, page, patience * attempt);
		const verdict = compare(result);
		worse = worse ? worse.filter((line) => verdict.worse.includes(line)) : verdict.worse;
		if (worse.length === 0 || attempt === ATTEMPTS) return { result, verdict: { worse, better: verdict.better } };
	}
}

async function runFile(environment: Pick<Environment, 'run'>, page: TestFile, patience: number): Promise<FileResult> {
	const started = Date.now();
	const timeout = page.long ? LONG_TIMEOUT_MS : TIMEOUT_MS;
	const outcome = await environment.run(page.url, timeout * patience, patience);
	return { path: page.path, ms: Date.now() - started, ...outcome };
}
