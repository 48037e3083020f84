/** A round of the bench: the table is printed, beside aiortc's figures, and the JSON written. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { platform } from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = path.join(import.meta.dirname, '../..');
const OWN = ['aiortc-shim', 'aiortc'];
const PEERS = 'aiortc-shim,aiortc-shim by a bridge,aiortc,link';
/** Of each figure, who takes part and what is measured. The other projects' peers would have to be fetched. */
const FIGURES: Record<string, { peers: string[]; columns: string[]; goals: number }> = {
	firstMessage: {
		peers: ['aiortc-shim', 'aiortc-shim by a bridge', 'aiortc'],
		columns: ['start to message ms'],
		goals: 0,
	},
	connect: { peers: ['aiortc-shim', 'aiortc-shim by a bridge', 'aiortc'], columns: ['connect ms'], goals: 0 },
	throughput: { peers: OWN, columns: ['MB/s', 'CPU ms/MB'], goals: 1 },
	roundTrip: { peers: OWN, columns: ['p50 ms', 'p99 ms', 'CPU ms/1000'], goals: 1 },
	messages: { peers: OWN, columns: ['messages/s', 'CPU ms/1000'], goals: 1 },
	besideBulk: {
		peers: ['aiortc-shim by a bridge'],
		columns: ['alone p99 ms', 'same session p99 ms', 'other session p99 ms'],
		goals: 2,
	},
	link: { peers: ['aiortc', 'link'], columns: ['CPU ms/MB', 'CPU ms/1000', 'p50 ms'], goals: 3 },
	transfer: { peers: ['aiortc-shim'], columns: ['MB/s', 'CPU ms/MB', 'same digest'], goals: 2 },
};

test('every figure is printed and written for each peer, with CPU for bytes and messages, and what it was to reach', () => {
	const { stdout, stderr, status } = spawnSync(process.execPath, ['bench/run.ts', '--rounds', '1', '--peers', PEERS], {
		cwd: root,
		env: { ...process.env, BENCH_TRANSFER_BYTES: String(32 << 20) },
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
		Object.keys(FIGURES),
	);
	for (const { figure, peers, goals, stolen } of results) {
		const expected = FIGURES[figure]!;
		assert.ok(platform() === 'linux' ? stolen >= 0 && stolen < 1 : stolen === null, `${stolen}`);
		assert.match(stdout, new RegExp(`^${figure}: `, 'm'));
		assert.equal(Object.keys(peers).sort(), expected.peers.toSorted());
		assert.is(goals.length, expected.goals);
		for (const { text } of goals) assert.ok(stdout.includes(text) && !text.includes('NaN'), text);
		for (const peer of expected.peers) {
			for (const column of expected.columns) {
				assert.ok(peers[peer].median[column] > 0, `${figure}, ${peer}, ${column}`);
				assert.ok(stdout.includes(column), column);
			}
		}
	}
});

test.run();
