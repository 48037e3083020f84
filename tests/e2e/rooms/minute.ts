/**
 * The same room for a minute, in figures: `node scripts/run.cjs tests/e2e/rooms/minute.ts [--bots 8] [--seconds 60]`.
 * Memory and CPU of every process, pictures that were read and how many were right.
 */
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import type { Counts } from './messages.ts';
import { Party } from './Party.ts';

const { values } = parseArgs({
	options: { bots: { type: 'string', default: '8' }, seconds: { type: 'string', default: '60' } },
});
const bots = Number(values.bots);
const slice = Math.max(1, Number(values.seconds) / 6);

const party = await Party.open(bots);
try {
	const nothing = await party.ask('count', () => ({}));
	const joined = await party.join();
	console.log(`${bots} bots on ${cpus().length} cores, load ${loadavg()[0]!.toFixed(1)}`);
	console.log(`in the room with everybody's picture after ${Math.max(...joined.map(({ ms }) => ms)).toFixed(0)} ms`);
	let before = await party.ask('count', () => ({}));
	for (let index = 0; index < 6; index++) {
		const began = performance.now();
		const seen = (await party.ask('watch', () => ({ seconds: slice }))).flat();
		const seconds = (performance.now() - began) / 1_000;
		const now = await party.ask('count', () => ({}));
		report(seconds, seen, before, now);
		before = now;
	}
	console.log('objects of a worker in the room:', JSON.stringify(before[0]!.objects));
	await party.ask('leave', () => ({}));
	await new Promise((resolve) => setTimeout(resolve, 2_000));
	const left = await party.ask('count', () => ({}));
	console.log('before they joined:', JSON.stringify(nothing[0]!.objects), nothing[0]!.tasks, 'tasks');
	console.log(
		'when all have left:',
		left.map(({ objects, tasks }) => `${JSON.stringify(objects)} ${tasks} tasks`).join(', '),
	);
} finally {
	await party.end();
}

function report(
	seconds: number,
	seen: { frames: number; right: number }[],
	before: readonly Counts[],
	now: readonly Counts[],
): void {
	const frames = seen.map((each) => each.frames / seconds);
	const right = sum(seen.map((each) => each.right)) / sum(seen.map((each) => each.frames));
	const used = (cpu: 'botCpu' | 'workerCpu') =>
		sum(now.map((each, index) => each[cpu] - before[index]![cpu])) / seconds;
	const memory = (of: 'bot' | 'worker') => now.map((each) => each[of] / 2 ** 20);
	console.log(
		[
			`${(sum(frames) / frames.length).toFixed(1)} pictures/s of each other (least ${Math.min(...frames).toFixed(1)})`,
			`${(right * 100).toFixed(1)} % right`,
			`workers ${memory('worker').map(Math.round).join(' ')} MiB, ${used('workerCpu').toFixed(2)} cores`,
			`bots ${memory('bot').map(Math.round).join(' ')} MiB, ${used('botCpu').toFixed(2)} cores`,
		].join('; '),
	);
}

function sum(values: readonly number[]): number {
	return values.reduce((total, value) => total + value, 0);
}
