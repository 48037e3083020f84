/** docs/security.md: every threat names what shows it, and that is there. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { allFaults } from '../../bench/faults/kinds/index.ts';

const root = path.join(import.meta.dirname, '../..');
const rows = readFileSync(path.join(root, 'docs/security.md'), 'utf8')
	.split('\n')
	.filter((line) => /^\| /.test(line) && !/^\| (may try|what) \|/.test(line))
	.map((line) => line.split('|').slice(1, -1));
const codes = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
const TEST = /(\.test\.ts|\/test_\w+\.py)$/;
const FAULT = /^npm run faults -- (.+)$/;

test('every row has a threat, what holds it, what does not, and what shows it', () => {
	assert.ok(rows.length > 30, `${rows.length} rows`);
	for (const row of rows) {
		assert.is(row.length, 4, row.join(' | '));
		const [threat, holds, fails, shown] = row.map((cell) => cell.trim());
		assert.ok(threat && (holds || fails), row.join(' | '));
		assert.ok(
			codes(shown!).some((code) => TEST.test(code) || FAULT.test(code)),
			`nothing shows: ${threat}`,
		);
	}
});

test('the files that it names are there', () => {
	const files = rows.flatMap((row) => codes(row.join(' ')).filter((code) => /^[\w/.-]+\.(ts|py)$/.test(code)));
	assert.equal(
		[...new Set(files)].filter((file) => !existsSync(path.join(root, file))),
		[],
	);
});

test('the faults that it names are there, and every fault is named', () => {
	const names = allFaults({ honest: 1, seconds: 1 }).map(({ name }) => name);
	const parts = rows.flatMap((row) => codes(row[3]!).flatMap((code) => FAULT.exec(code)?.[1] ?? []));
	assert.equal(
		parts.filter((part) => !names.some((name) => name.includes(part))),
		[],
	);
	assert.equal(
		names.filter((name) => !parts.some((part) => name.includes(part))),
		[],
	);
});

test.run();
