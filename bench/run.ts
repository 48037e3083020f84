/** Measures every figure, peers interleaved, and prints the medians; `npm run bench -- [--rounds N] [--peers A,B] [FIGURE…]`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePython } from '../bridge/python.ts';
import { startBridge } from '../bridge/server.ts';
import { type Figure, type Goal, type Medians, median, type Sample } from './figure.ts';
import { figure as besideBulk } from './figures/besideBulk.ts';
import { figure as connectTime } from './figures/connect.ts';
import { ethernet, path20, path100 } from './figures/ethernet.ts';
import { figure as firstMessage } from './figures/firstMessage.ts';
import { figure as link } from './figures/link.ts';
import { figure as messages } from './figures/messages.ts';
import { figure as roundTrip } from './figures/roundTrip.ts';
import { figure as throughput } from './figures/throughput.ts';
import { figure as transfer } from './figures/transfer.ts';
import { interopPeer, OF_INTEROP, OF_NPM, otherPeers } from './others.ts';
import type { PeerKind } from './peer.ts';
import { countStolen } from './stolen.ts';

const figures: Figure[] = [
	firstMessage,
	connectTime,
	throughput,
	ethernet,
	path20,
	path100,
	roundTrip,
	messages,
	besideBulk,
	link,
	transfer,
];
const OTHERS = [...OF_NPM, ...OF_INTEROP];
/** Of what aiortc does on a quiet machine: below it the machine was too busy for a run to say anything. */
const QUIET_ENOUGH = 0.7;

interface Result {
	figure: string;
	what: string;
	rounds: number;
	/** The share of the cores' time that a hypervisor gave to others meanwhile; null where the system does not tell. */
	stolen: number | null;
	/** Why it says nothing, if it does not. */
	void: string | null;
	goals: Goal[];
	peers: Record<string, { median: Sample; rounds: Sample[] }>;
	/** Why a peer has no row. */
	without: Record<string, string>;
}

const { values, positionals } = parseArgs({
	options: { rounds: { type: 'string', default: '7' }, peers: { type: 'string' } },
	allowPositionals: true,
});
const rounds = Number(values.rounds);
const wanted = figures.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const named = values.peers?.split(',');

const python = await ensurePython();
const bridge = await startBridge();
const peers = [...ownPeers(), ...(await others())].filter(({ name }) => named === undefined || named.includes(name));
const results: Result[] = [];
try {
	for (const figure of wanted) {
		const result = await measure(figure);
		print(result);
		results.push(result);
	}
} finally {
	await bridge.close();
}

const folder = join(import.meta.dirname, 'results');
mkdirSync(folder, { recursive: true });
const file = join(folder, `${new Date().toISOString().replaceAll(':', '-')}.json`);
const machine = { platform: platform(), arch: arch(), cpus: cpus(), load: loadavg()[0], node: process.version };
writeFileSync(file, `${JSON.stringify({ machine, rounds, results }, null, '\t')}\n`);
console.log(`\nwritten to ${file}`);

function ownPeers(): PeerKind[] {
	const here = (name: string) => join(import.meta.dirname, 'peers', name);
	const ours = { command: process.execPath, args: [here('shim.ts')] };
	// A worker inherits what begins with PYTHON.
	const worker = { AIORTC_SHIM_PYTHON: here('link_python'), PYTHON_OF_BENCH: python };
	return [
		{ name: 'aiortc-shim', ...ours },
		{ name: 'aiortc-shim by a bridge', ...ours, env: { AIORTC_SHIM_URL: bridge.url, AIORTC_SHIM_TOKEN: bridge.token } },
		{ name: 'aiortc', command: python, args: [here('aiortc_peer.py')] },
		{ name: 'link', command: process.execPath, args: [here('link.ts')], env: worker },
	];
}

/** Those of other projects, if a figure wants them; a run without them says so. */
async function others(): Promise<PeerKind[]> {
	const wants = (name: string) =>
		(named?.includes(name) ?? true) && wanted.some((figure) => figure.peers?.includes(name) ?? OF_NPM.includes(name));
	const without = (names: string[]) => (error: Error) => {
		console.log(`without ${names.join(', ')}, which could not be had: ${error.message}`);
		return [];
	};
	const ofNpm = OF_NPM.some(wants) ? await otherPeers(python).catch(without(OF_NPM)) : [];
	const ofInterop: PeerKind[] = [];
	for (const name of OF_INTEROP.filter(wants)) {
		ofInterop.push(...(await interopPeer(name).then((kind) => [kind], without([name]))));
	}
	return [...ofNpm, ...ofInterop];
}

async function measure(figure: Figure): Promise<Result> {
	const taking = peers.filter(({ name }) => (figure.peers ?? ['aiortc-shim', 'aiortc', ...OF_NPM]).includes(name));
	const stolen = countStolen();
	const samples = new Map<string, Sample[]>(taking.map(({ name }) => [name, []]));
	const without: Record<string, string> = {};
	const lacks = (await figure.lacks?.()) ?? null;
	for (let round = 0; round < Math.min(rounds, figure.rounds ?? rounds) && lacks === null; round++) {
		for (const peer of taking.filter(({ name }) => !without[name])) {
			await figure.measure(peer).then(
				(sample) => samples.get(peer.name)!.push(sample),
				(error: Error) => {
					without[peer.name] = error.message;
					// Another project's peer may be broken here; ours and aiortc are not.
					if (!OTHERS.includes(peer.name)) process.exitCode = 1;
				},
			);
		}
	}
	for (const name of samples.keys()) if (lacks !== null || without[name]) samples.delete(name);
	const entries = [...samples].map(([name, each]) => [name, { median: medians(each), rounds: each }] as const);
	const all: Medians = Object.fromEntries(entries.map(([name, each]) => [name, each.median]));
	// Without one that --peers leaves out there is nothing to compare with.
	const comparable = (figure.peers ?? ['aiortc-shim', 'aiortc']).every((name) => all[name] || OTHERS.includes(name));
	return {
		figure: figure.name,
		what: figure.what,
		rounds: Math.min(rounds, figure.rounds ?? rounds),
		stolen: stolen(),
		void: lacks ?? whyVoid(figure, all),
		goals: (comparable && figure.goals?.(all)) || [],
		peers: Object.fromEntries(entries),
		without,
	};
}

function medians(samples: Sample[]): Sample {
	const columns = Object.keys(samples[0]!);
	return Object.fromEntries(columns.map((column) => [column, median(samples.map((sample) => sample[column]!))]));
}

function whyVoid({ quiet }: Figure, all: Medians): string | null {
	if (!quiet || !all.aiortc) return null;
	const did = all.aiortc[quiet.column]!;
	if (did >= QUIET_ENOUGH * quiet.value) return null;
	return `aiortc did ${did.toPrecision(3)} ${quiet.column}; on a quiet machine it does ${quiet.value}`;
}

/** A row a peer, each number with its ratio to aiortc's. */
function print({ figure, what, rounds, stolen, peers: rows, goals, void: reason, without }: Result): void {
	const base = rows.aiortc?.median;
	const cell = (column: string, value: number) =>
		base?.[column] ? `${value.toPrecision(3)} (x${(value / base[column]).toFixed(2)})` : value.toPrecision(3);
	const cells = (sample: Sample) =>
		Object.fromEntries(Object.entries(sample).map(([column, value]) => [column, cell(column, value)]));
	console.log(`\n${figure}: ${what}; median of ${rounds}`);
	console.table(Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, cells(row.median)])));
	for (const goal of goals) console.log(`${goal.reached ? 'reached' : 'MISSED '}: ${goal.text}`);
	if (stolen) console.log(`a hypervisor took ${(100 * stolen).toFixed(1)} % of the cores' time`);
	for (const [name, why] of Object.entries(without)) console.log(`without ${name}: ${why}`);
	if (reason) console.log(`VOID: ${reason}`);
}
