import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ensureTests } from '../../../scripts/get-wpt.ts';
import { type EnvironmentName, readExpectations, recordedPasses } from './expectations.ts';
import { listFiles, type Selection } from './files.ts';
import { runFiles } from './run.ts';
import { summarize } from './summary.ts';

/**
 * One test a page: it is not worse than recorded. All have run before the first is told of, two at once.
 *
 * @param worthwhile whether a page is worth its time, by the share of its subtests that pass; one of which nothing does
 * cannot become worse, and most of those end by a timeout of a minute
 */
export async function testAsRecorded(
	name: EnvironmentName,
	selection: Selection,
	worthwhile: (share: number) => boolean,
): Promise<void> {
	const expectations = readExpectations();
	const checked = await runFiles(name, {
		tests: await ensureTests(),
		files: listFiles(selection),
		concurrency: 2,
		patience: 1,
		expectations,
		skip: ({ path }) => {
			const expected = expectations[name][path];
			return expected !== undefined && !worthwhile(recordedPasses(expected) / expected.subtests);
		},
		log: console.log,
	});
	const results = checked.map(({ result }) => result);
	for (const line of summarize(name, results)) console.log(`note: ${line}`);
	for (const { result, verdict } of checked) {
		for (const line of verdict.better) console.log(`note: ${name}: ${result.path} ${line}, which is not recorded`);
		test(`${result.path} is not worse than recorded`, () => assert.equal(verdict.worse, []));
	}
	test.run();
}
