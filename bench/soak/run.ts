/**
 * Watches the memory of the three processes over many connections:
 * `npm run soak -- [--rounds 2000] [--every 200] [--tolerance 0.1] [--of worker,shim]`.
 *
 * Each round connects two connections of one shim, sends data and video, and closes. A process fails when it ends more
 * than the tolerance above what it had after the first `every` rounds.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const MIB = 1 << 20;
const NAMES = ['worker', 'bridge', 'bridge heap', 'shim', 'shim heap'] as const;
type Memory = Record<(typeof NAMES)[number], number>;

const { values } = parseArgs({
	options: {
		rounds: { type: 'string', default: '2000' },
		every: { type: 'string', default: '200' },
		tolerance: { type: 'string', default: '0.1' },
		of: { type: 'string', default: NAMES.join() },
	},
});
const [rounds, every, tolerance] = [values.rounds, values.every, values.tolerance].map(Number) as [
	number,
	number,
	number,
];

const bridge = start('bridge');
const { url, token } = await ask(bridge, {});
const shim = start('shim', url!, token!);
const table: Memory[] = [];
try {
	console.log(['rounds', ...NAMES.map((name) => `${name} MiB`)].map((text) => text.padStart(17)).join(''));
	for (let done = every; done <= rounds; done += every) {
		await ask(shim, { rounds: every });
		const bridges = await ask(bridge, { settle: true });
		const shims = await ask(shim, { settle: true });
		const memory = {
			worker: memoryOf(bridges.worker!),
			bridge: memoryOf(bridge.pid!),
			'bridge heap': bridges.heap! / MIB,
			shim: memoryOf(shim.pid!),
			'shim heap': shims.heap! / MIB,
		};
		table.push(memory);
		console.log([done, ...NAMES.map((name) => memory[name].toFixed(1))].map((cell) => `${cell}`.padStart(17)).join(''));
	}
} finally {
	await stop(shim);
	await stop(bridge);
}
for (const name of NAMES.filter((name) => values.of.split(',').includes(name))) {
	const [first, last] = [table[0]![name], table.at(-1)![name]];
	const grown = last / first - 1;
	const is = grown > tolerance ? 'FAILED' : 'flat';
	if (grown > tolerance) process.exitCode = 1;
	console.log(`${name}: ${first.toFixed(1)} to ${last.toFixed(1)} MiB, ${(grown * 100).toFixed(1)} %: ${is}`);
}

function start(...what: string[]): ChildProcess {
	return fork(join(import.meta.dirname, 'processes.ts'), what, { execArgv: ['--expose-gc'] });
}

/** Sends a question to a process of ours; its answer. Rejects when the process ends. */
function ask(
	child: ChildProcess,
	question: object,
): Promise<{ url?: string; token?: string; worker?: number; heap?: number }> {
	return new Promise((resolve, reject) => {
		const ended = (code: number) => reject(new Error(`a process ended with ${code}`));
		child.once('exit', ended);
		child.once('message', (answer: object) => {
			child.off('exit', ended);
			resolve(answer);
		});
		child.send(question);
	});
}

async function stop(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null) return;
	const gone = once(child, 'exit');
	child.disconnect();
	await gone;
}

/** MiB of a process that are in memory (Linux). */
function memoryOf(pid: number): number {
	const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
	return (Number(kilobytes) * 1024) / MIB;
}
