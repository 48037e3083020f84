/**
 * Runs the web platform tests that tests/wpt/files.txt lists, in jsdom on Node and in Chromium.
 *
 *     npm run wpt                            all of them in both environments
 *     npm run wpt -- --env node DataChannel  in one, the files whose path has that in it
 *     npm run wpt -- --check                 fails on what is worse than tests/wpt/expectations.json, three times running
 *     npm run wpt -- --update                records what fails, and the figures in docs/conformance.md
 *     npm run wpt -- --core                  the 105 files of webrtc/ that need no rendering
 *     npm run wpt -- --shard 1/3             a third of the files
 *     npm run wpt -- --patience 3            timeouts three times as long, for a machine that is slow or busy
 *     npm run wpt -- --out results.json      writes what was found, messages included
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { writeFigures } from '../tests/wpt/runner/conformance.ts';
import {
	type EnvironmentName,
	readExpectations,
	record,
	unexplained,
	writeExpectations,
} from '../tests/wpt/runner/expectations.ts';
import { listFiles } from '../tests/wpt/runner/files.ts';
import type { FileResult } from '../tests/wpt/runner/results.ts';
import { runFiles } from '../tests/wpt/runner/run.ts';
import { summarize } from '../tests/wpt/runner/summary.ts';
import { ensureTests } from './get-wpt.ts';

const ENVIRONMENTS = ['node', 'chromium'] as const;

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

try {
	process.exitCode = await main();
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
}

async function main(): Promise<number> {
	const names = environments();
	const tests = await ensureTests();
	let worse = 0;
	for (const name of names) {
		const checked = await runFiles(name, {
			tests,
			files: listFiles({ words, core: options.core, shard: options.shard }),
			concurrency: Number(options.concurrency),
			patience: Number(options.patience),
			expectations: options.check ? readExpectations() : undefined,
			log: console.log,
			onresult: (results) => writeOut(name, results),
		});
		const results = checked.map(({ result }) => result);
		if (options.update) update(name, results);
		for (const line of summarize(name, results)) console.log(line);
		worse += checked.reduce((sum, { verdict }) => sum + verdict.worse.length, 0);
	}
	if (options.check) worse += complain();
	return worse > 0 ? 1 : 0;
}

function environments(): readonly EnvironmentName[] {
	if (!options.env) return ENVIRONMENTS;
	const name = ENVIRONMENTS.find((each) => each === options.env);
	if (!name) throw new Error(`--env is ${options.env}; node and chromium are known`);
	return [name];
}

function update(name: EnvironmentName, results: readonly FileResult[]): void {
	const expectations = record(readExpectations(), name, results);
	writeExpectations(expectations);
	writeFigures(expectations);
}

function complain(): number {
	const faults = unexplained(readExpectations());
	for (const line of faults) console.log(`WORSE reason without failure, or failure without reason: ${line}`);
	return faults.length;
}

function writeOut(name: EnvironmentName, results: readonly FileResult[]): void {
	if (!options.out) return;
	const file = options.env ? options.out : options.out.replace(/(\.json)?$/, `.${name}.json`);
	writeFileSync(file, JSON.stringify(results, null, '\t'));
}
