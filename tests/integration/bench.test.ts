/** A round of the bench: the table is printed, beside aiortc's figures, and the JSON written. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = path.join(import.meta.dirname, '../..');
const PEERS = ['aiortc-shim', 'aiortc-shim, bridge warm', 'aiortc'];
const COLUMNS = {
	firstMessage: ['start to message ms'],
	connect: ['connect ms'],
	roundTrip: ['p50 ms', 'p99 ms'],
	throughput: ['MB/s', 'CPU ms/MB'],
	messages: ['messages/s', 'CPU ms/1000'],
};

test('every figure is printed and written for each peer, with CPU for bytes and messages', () => {
	const { stdout, stderr, status } = spawnSync(process.execPath, ['bench/run.ts', '--rounds', '1'], {
		cwd: root,
		encoding: 'utf8',
	});
	assert.is(status, 0, stderr);
	const file = /^written to (.*\.json)$/m.exec(stdout)?.[1];
	assert.ok(file, stdout);
	const { machine, rounds, results } = JSON.parse(readFileSync(file, 'utf8'));
	rmSync(file);
	assert.is(rounds, 1);
	assert.ok(machine.cpus > 0);
	assert.equal(
		results.map(({ figure }: { figure: string }) => figure),
		Object.keys(COLUMNS),
	);
	for (const { figure, peers } of results) {
		assert.match(stdout, new RegExp(`^${figure}: `, 'm'));
		assert.equal(Object.keys(peers), PEERS);
		for (const peer of PEERS) {
			for (const column of COLUMNS[figure as keyof typeof COLUMNS]) {
				assert.ok(peers[peer].median[column] > 0, `${figure}, ${peer}, ${column}`);
				assert.ok(stdout.includes(column), column);
			}
		}
	}
});

test.run();
