/** The short form of `npm run faults`: what kills a worker, and many sessions beside everything at once. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = path.join(import.meta.dirname, '../..');
/** A machine that is busy with other tests makes everybody wait: here it is counted, not timed. */
const PATIENCE = ['--patience', '60000', '--quiet', '500'];

function faults(...options: string[]) {
	const { stdout, stderr, status } = spawnSync(process.execPath, ['bench/faults/run.ts', ...options], {
		cwd: root,
		encoding: 'utf8',
		timeout: 120_000,
	});
	return { said: stdout + stderr, status };
}

test('a worker that stops, is killed or has no memory ends its own sessions, and its neighbours feel nothing', () => {
	const names = ['worker stopped', 'worker killed', 'worker out of memory'];
	const { said, status } = faults(names.join(), '--neighbours', '2', ...PATIENCE);
	assert.is(status, 0, said);
	for (const name of names) assert.match(said, new RegExp(`^pass {2}${name}: `, 'm'));
	assert.match(said, /culprit: failed, channel error, channel close, .*the worker hung, and was killed \(4006\)/);
	assert.match(said, /^ +of [1-9]\d* messages 0 lost$/m);
});

test('sessions of eight tokens lose no message while one of the tokens does everything at once', () => {
	const { said, status } = faults('of eight tokens, apart', '--honest', '12', '--seconds', '6', ...PATIENCE);
	assert.is(status, 0, said);
	assert.match(said, /^ +of [1-9]\d* messages 0 lost$/m);
});

test('a neighbour that waits for longer than it may makes the run fail', () => {
	const { said, status } = faults('worker killed', '--neighbours', '1', '--quiet', '500', '--patience=-1');
	assert.is(status, 1, said);
	assert.match(said, /^ +MISS: a neighbour waited \d+ ms for a message$/m);
	assert.match(said, /^0 passed, 1 missed$/m);
});

test.run();
