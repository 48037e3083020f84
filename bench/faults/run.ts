/**
 * Injects faults into a bridge with several workers while neighbours' sessions work:
 * `npm run faults -- [--neighbours 4] [--patience 3000] [--quiet 3000] [--log] [NAME, …]`, or
 * `npm run faults -- hundred [--honest 92] [--seconds 30]`.
 *
 * A fault is missed when its culprit sees something else than what is expected, when a neighbour loses a message, ends or
 * hears of an error, or when a neighbour waits for a message longer than `patience` milliseconds.
 * `--log` shows what the bridge said. Linux only.
 */
import { parseArgs } from 'node:util';
import { type Fault, type Outcome, pause } from './fault.ts';
import { allFaults } from './kinds/index.ts';
import { Scene } from './Scene.ts';
import { format, type Row, summary, unmeasured } from './table.ts';

const { values, positionals } = parseArgs({
	options: {
		neighbours: { type: 'string', default: '4' },
		patience: { type: 'string', default: '3000' },
		quiet: { type: 'string', default: '3000' },
		honest: { type: 'string', default: '92' },
		seconds: { type: 'string', default: '30' },
		log: { type: 'boolean', default: false },
	},
	allowPositionals: true,
});
const [neighbours, patience, quiet] = [values.neighbours, values.patience, values.quiet].map(Number) as [
	number,
	number,
	number,
];
const faults = allFaults({ honest: Number(values.honest), seconds: Number(values.seconds) });
// Names have spaces, which a shell takes for the ends of words.
const parts = positionals.join(' ').split(/\s*,\s*/);
const wanted = faults.filter(({ name }) => parts.some((part) => name.includes(part)));
if (wanted.length === 0)
	throw new Error(`no fault is called so; there are: ${faults.map(({ name }) => name).join(', ')}`);

const rows: Row[] = [];
let scene = null as { of: string; is: Scene } | null;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
	process.once(signal, () => void endScene().finally(() => process.exit(1)));
}
try {
	for (const fault of wanted) {
		const row = await sceneFor(fault)
			.then((scene) => measure(fault, scene))
			.catch((error: Error) => unmeasured(fault, error));
		rows.push(row);
		console.log(format(row));
		for (const line of (values.log && scene?.is.bridge.log.splice(0)) || []) console.log(`      | ${line}`);
		// What a fault broke, or had for itself, is of no use to the next.
		if (row.misses.length > 0 || fault.scene) await endScene();
	}
} finally {
	await endScene();
}
console.table(summary(rows));
const missed = rows.filter(({ misses }) => misses.length > 0);
console.log(`${rows.length - missed.length} passed, ${missed.length} missed`);
for (const { fault, misses } of missed) console.log(`missed: ${fault}: ${misses[0]}`);
// Of what was given up something may still wait.
process.exit(missed.length > 0 ? 1 : 0);

async function sceneFor({ where, scene: own }: Fault): Promise<Scene> {
	if (scene?.of === where && !own) return scene.is;
	await endScene();
	const isApart = where === 'apart';
	const is = await Scene.start({
		isolation: isApart ? 'token' : 'shared',
		// Of a token that has a worker each further session gets another while there are: one is the spare.
		workers: isApart ? neighbours + 3 : 2,
		neighbours,
		honestTokens: 2,
		processes: 1,
		period: 50,
		...own,
	});
	scene = { of: where, is };
	return is;
}

async function endScene(): Promise<void> {
	await scene?.is.close();
	scene = null;
}

async function measure(fault: Fault, scene: Scene): Promise<Row> {
	await scene.neighbours.window();
	await pause(quiet);
	const before = await scene.neighbours.window();
	let outcome: Outcome = { seen: '', end: '' };
	const misses: string[] = [];
	try {
		outcome = await fault.inject(scene);
	} catch (error) {
		misses.push((error as Error).message);
	}
	await scene.tidy();
	const during = await scene.neighbours.window();
	if (!scene.bridge.isAlive) misses.push(`the bridge ended: ${scene.bridge.log.at(-1)}`);
	if (during.lost > 0) misses.push(`neighbours lost ${during.lost} messages`);
	if (during.longest > (fault.patience ?? patience))
		misses.push(`a neighbour waited ${during.longest.toFixed(0)} ms for a message`);
	misses.push(...new Set(during.problems.map((problem) => `a neighbour: ${problem}`)));
	return { fault: fault.name, expected: fault.expected, ...outcome, before, during, misses };
}
