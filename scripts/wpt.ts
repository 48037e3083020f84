/**
 * Runs the web platform tests that tests/wpt/files.txt lists, in jsdom on Node and in Chromium, over one bridge.
 *
 *     npm run wpt                            all of them in both environments
 *     npm run wpt -- --env node DataChannel  in one, the files whose path has that in it
 *     npm run wpt -- --check                 fails on what is worse than tests/wpt/expectations.json, three times running
 *     npm run wpt -- --update                records what fails
 *     npm run wpt -- --core                  the 105 files of webrtc/ that need no rendering
 *     npm run wpt -- --shard 1/3             a third of the files
 *     npm run wpt -- --patience 3            timeouts three times as long, for a machine that is slow or busy
 *     npm run wpt -- --out results.json      writes what was found, messages included
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Bridge, startBridge } from '../bridge/server.ts';
import { isCore, readBaselines } from '../tests/wpt/runner/baselines.ts';
import { chromiumEnvironment } from '../tests/wpt/runner/chromium.ts';
import {
	type EnvironmentName,
	judge,
	readExpectations,
	record,
	unexplained,
} from '../tests/wpt/runner/expectations.ts';
import { nodeEnvironment } from '../tests/wpt/runner/node.ts';
import { type Environment, type FileResult, passes } from '../tests/wpt/runner/results.ts';
import { startServer } from '../tests/wpt/runner/server.ts';
import { expandTest, sourceOf, type TestFile } from '../tests/wpt/runner/testFile.ts';
import { ensureTests } from './get-wpt.ts';

const { values: options, positionals: words } = parseArgs({
	allowPositionals: true,
	options: {
		env: { type: 'string' },
		check: { type: 'boolean', default: false },
		update: { type: 'boolean', default: false },
		core: { type: 'boolean', default: false },
		shard: { type: 'string' },
		out: { type: 'string' },
		patience: { type: 'string', default: '1' },
		concurrency: { type: 'string', default: '1' },
	},
});

/** For a file whose harness does not end it; testharness.js gives up after 10 s, or 60 s for those that say so. */
const TIMEOUT_MS = 30_000;
const LONG_TIMEOUT_MS = 90_000;
const ATTEMPTS = 3;
const patience = Number(options.patience);
const baselines = readBaselines();

const names = (options.env ? [options.env] : ['node', 'chromium']) as EnvironmentName[];
const tests = await ensureTests();
const server = await startServer(tests);
const bridge = await startBridge({ graceSeconds: 1, log: () => {} });
await bridge.ready;
let worse = 0;
for (const name of names) {
	const environment = await environmentOf(name, server.origin, bridge);
	const results = await runAll(name, environment);
	await environment.close();
	if (options.update) record(name, results);
	summarize(name, results);
	if (options.check) worse += reportUnexplained(name);
}
await bridge.close();
server.close();
process.exit(worse > 0 ? 1 : 0);

async function environmentOf(name: EnvironmentName, origin: string, bridge: Bridge): Promise<Environment> {
	if (name === 'node') return nodeEnvironment(origin, bridge, patience);
	if (name === 'chromium') return chromiumEnvironment(origin, bridge, patience);
	throw new Error(`--env is ${name}; node and chromium are known`);
}

async function runAll(name: EnvironmentName, environment: Environment): Promise<FileResult[]> {
	console.log(`${name}: ${await environment.version()}`);
	const files = listed().flatMap((path) => expandTest(tests, path));
	const results: FileResult[] = [];
	const queue = files.entries();
	const work = async () => {
		for (const [index, test] of queue) {
			const result = await runChecked(name, environment, test);
			results[index] = result;
			// After each, so that a run cut short leaves what it has.
			if (options.out) writeFileSync(outFile(name), JSON.stringify(results.filter(Boolean), null, '\t'));
			const count = `${passes(result)}/${result.subtests.length}`;
			const status = result.status === 'OK' ? '' : ` ${result.status}`;
			console.log(`${index + 1}/${files.length} ${count} ${result.path} (${result.ms} ms)${status}`);
		}
	};
	await Promise.all(Array.from({ length: Number(options.concurrency) }, work));
	return results;
}

/** Runs a file; with --check again, up to three times in all, as long as something is worse than recorded. */
async function runChecked(name: EnvironmentName, environment: Environment, test: TestFile): Promise<FileResult> {
	const expected = readExpectations()[name][test.path];
	for (let attempt = 1; ; attempt++) {
		const result = await runFile(environment, test);
		if (!options.check) return result;
		const verdict = judge(expected, result);
		if (verdict.worse.length > 0 && attempt < ATTEMPTS) continue;
		for (const line of verdict.worse) console.log(`WORSE ${test.path} ${line}`);
		for (const line of verdict.better) console.log(`warning: ${test.path} ${line}, which is not recorded`);
		worse += verdict.worse.length;
		return result;
	}
}

async function runFile(environment: Environment, test: TestFile): Promise<FileResult> {
	const started = Date.now();
	const timeout = test.long ? LONG_TIMEOUT_MS : TIMEOUT_MS;
	const outcome = await environment.run(test.url, timeout * patience);
	return { path: test.path, ms: Date.now() - started, ...outcome };
}

function listed(): string[] {
	const lines = readFileSync(join(import.meta.dirname, '..', 'tests', 'wpt', 'files.txt'), 'utf8').split('\n');
	const core = new Set(baselines.filter(isCore).map(({ path }) => sourceOf(path)));
	return lines.filter(
		(path) =>
			path !== '' &&
			(!options.core || core.has(path)) &&
			(words.length === 0 || words.some((word) => path.includes(word))) &&
			inShard(path),
	);
}

function inShard(path: string): boolean {
	if (!options.shard) return true;
	const [index, count] = options.shard.split('/').map(Number);
	return createHash('sha256').update(path).digest().readUInt32BE() % count! === index! - 1;
}

/** A subtest that was not reported counts as failed: Chromium's enumeration says how many there are. */
function summarize(name: EnvironmentName, results: readonly FileResult[]): void {
	const found = new Map(results.map((result) => [result.path, passes(result)]));
	const groups: [string, typeof baselines][] = [
		['the files that need no rendering', baselines.filter(isCore)],
		['those of webrtc/ that do', baselines.filter((each) => each.path.startsWith('webrtc/') && !isCore(each))],
		['the others with figures', baselines.filter(({ path }) => !path.startsWith('webrtc/'))],
	];
	for (const [title, all] of groups) {
		const files = all.filter(({ path }) => found.has(path));
		const passed = files.reduce((sum, { path, subtests }) => sum + Math.min(found.get(path)!, subtests), 0);
		const total = files.reduce((sum, { subtests }) => sum + subtests, 0);
		if (total > 0) {
			const percent = ((100 * passed) / total).toFixed(1);
			console.log(`${name}: ${passed} of ${total} (${percent} %), ${title} (${files.length})`);
		}
	}
	const passed = results.reduce((sum, result) => sum + passes(result), 0);
	const total = results.reduce((sum, { subtests }) => sum + subtests.length, 0);
	console.log(`${name}: ${passed} passed, ${total - passed} failed, in ${results.length} files`);
}

function reportUnexplained(name: EnvironmentName): number {
	const lines = unexplained(name);
	for (const line of lines) console.log(`WORSE no reason given: ${line}`);
	return lines.length;
}

function outFile(name: EnvironmentName): string {
	return names.length === 1 ? options.out! : options.out!.replace(/(\.json)?$/, `.${name}.json`);
}
