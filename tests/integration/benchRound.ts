/** A round of the bench: tables are printed, and the JSON written, which is checked. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { platform } from 'node:os';
import path from 'node:path';
import * as assert from 'uvu/assert';

const root = path.join(import.meta.dirname, '../..');

/** Of each figure, who takes part, what is measured, and how many goals it has. */
export type Expected = Record<string, { peers: string[]; columns: string[]; goals: number; needsNetwork?: boolean }>;

/** Runs the figures once. Of one that `needsNetwork`, the bench may say in place of it that this machine has none. */
export function runOnce(figures: Expected, peers: string): void {
	const args = ['bench/run.ts', '--rounds', '1', '--peers', peers, ...Object.keys(figures)];
	const { stdout, stderr, status } = spawnSync(process.execPath, args, {
		cwd: root,
		env: { ...process.env, BENCH_TRANSFER_BYTES: String(32 << 20), BENCH_SHARE: '0.1' },
		encoding: 'utf8',
	});
	assert.is(status, 0, stderr);
	const file = /^written to (.*\.json)$/m.exec(stdout)?.[1];
	assert.ok(file, stdout);
	const { machine, rounds, results } = JSON.parse(readFileSync(file, 'utf8'));
	rmSync(file);
	assert.is(rounds, 1);
	assert.ok(machine.cpus.length > 0);
	assert.equal(
		results.map(({ figure }: { figure: string }) => figure),
		Object.keys(figures),
	);
	for (const { figure, peers: rows, goals, stolen, void: reason, without } of results) {
		const expected = figures[figure]!;
		if (expected.needsNetwork && reason) {
			assert.ok(stdout.includes(`VOID: ${reason}`));
			continue;
		}
		assert.equal(without, {});
		assert.ok(platform() === 'linux' ? stolen >= 0 && stolen < 1 : stolen === null, `${stolen}`);
		assert.match(stdout, new RegExp(`^${figure}: `, 'm'));
		assert.equal(Object.keys(rows).sort(), expected.peers.toSorted());
		assert.is(goals.length, expected.goals);
		for (const { text } of goals) assert.ok(stdout.includes(text) && !text.includes('NaN'), text);
		for (const peer of expected.peers) {
			for (const column of expected.columns) {
				assert.ok(rows[peer].median[column] > 0, `${figure}, ${peer}, ${column}`);
				assert.ok(stdout.includes(column), column);
			}
		}
	}
}
