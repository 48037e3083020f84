/** The short form of `npm run soak`: sixty connections, after which no process has more than after twenty. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = path.join(import.meta.dirname, '../..');

function soak(...options: string[]) {
	return spawnSync(process.execPath, ['bench/soak/run.ts', '--rounds', '60', '--every', '20', ...options], {
		cwd: root,
		encoding: 'utf8',
		timeout: 150_000,
	});
}

test('sixty connections with data and video leave worker, bridge and shim as large as twenty did', () => {
	// V8 takes memory for its young objects until some hundred rounds: of the shim it is the heap that tells.
	const { stdout, stderr, status } = soak('--tolerance', '0.1', '--of', 'worker,bridge,bridge heap,shim heap');
	assert.is(status, 0, stdout + stderr);
	assert.is(stderr, '', 'nothing is logged');
	assert.equal(stdout.match(/^ +\d+/gm)?.map(Number), [20, 40, 60]);
	assert.equal(stdout.match(/^[a-z ]+(?=: .* flat$)/gm), ['worker', 'bridge', 'bridge heap', 'shim heap']);
});

test('a process that has grown by more than the tolerance fails the soak', () => {
	const { stdout, status } = spawnSync(
		process.execPath,
		['bench/soak/run.ts', '--rounds', '2', '--every', '1', '--tolerance=-1', '--of', 'worker'],
		{ cwd: root, encoding: 'utf8', timeout: 60_000 },
	);
	assert.is(status, 1);
	assert.match(stdout, /^worker: .* FAILED$/m);
});

test.run();
