/** Measures every figure, peers interleaved, and prints the medians; `npm run bench -- [--rounds N] [FIGURE…]`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePython } from '../bridge/python.ts';
import { type Bridge, startBridge } from '../bridge/server.ts';
import { type Figure, median, type Sample } from './figure.ts';
import { figure as connectTime } from './figures/connect.ts';
import { figure as firstMessage } from './figures/firstMessage.ts';
import { figure as messages } from './figures/messages.ts';
import { figure as roundTrip } from './figures/roundTrip.ts';
import { figure as throughput } from './figures/throughput.ts';
import type { PeerKind } from './peer.ts';

const figures: Figure[] = [firstMessage, connectTime, roundTrip, throughput, messages];

const { values, positionals } = parseArgs({
	options: { rounds: { type: 'string', default: '7' } },
	allowPositionals: true,
});
const rounds = Number(values.rounds);
const wanted = figures.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

const python = await ensurePython();
const bridge: Bridge = await startBridge({ isolation: 'session' });
const here = (file: string) => join(import.meta.dirname, 'peers', file);
const ours = { command: process.execPath, args: [here('shim.ts')] };
const peers: PeerKind[] = [
	{ name: 'aiortc-shim', ...ours },
	{ name: 'aiortc-shim, bridge warm', ...ours, env: { AIORTC_SHIM_URL: bridge.url, AIORTC_SHIM_TOKEN: bridge.token } },
	{ name: 'aiortc', command: python, args: [here('aiortc_peer.py')] },
];

const results: { figure: string; what: string; peers: Record<string, { median: Sample; rounds: Sample[] }> }[] = [];
try {
	for (const figure of wanted) results.push(await measure(figure));
} finally {
	await bridge.close();
}

const folder = join(import.meta.dirname, 'results');
mkdirSync(folder, { recursive: true });
const file = join(folder, `${new Date().toISOString().replaceAll(':', '-')}.json`);
const machine = { platform: platform(), arch: arch(), cpus: cpus().length, load: loadavg()[0], node: process.version };
writeFileSync(file, `${JSON.stringify({ machine, rounds, results }, null, '\t')}\n`);
console.log(`\nwritten to ${file}`);

async function measure(figure: Figure): Promise<(typeof results)[number]> {
	const samples = new Map<string, Sample[]>(peers.map(({ name }) => [name, []]));
	for (let round = 0; round < rounds; round++) {
		for (const peer of peers) samples.get(peer.name)!.push(await figure.measure(peer));
	}
	const entries = [...samples].map(([name, each]) => [name, { median: medians(each), rounds: each }] as const);
	print(figure, new Map(entries));
	return { figure: figure.name, what: figure.what, peers: Object.fromEntries(entries) };
}

function medians(samples: Sample[]): Sample {
	const columns = Object.keys(samples[0]!);
	return Object.fromEntries(columns.map((column) => [column, median(samples.map((sample) => sample[column]!))]));
}

/** A row a peer, each number with its ratio to aiortc's. */
function print(figure: Figure, rows: ReadonlyMap<string, { median: Sample }>): void {
	const base = rows.get('aiortc')!.median;
	console.log(`\n${figure.name}: ${figure.what}; median of ${rounds}`);
	console.table(
		Object.fromEntries(
			[...rows].map(([name, row]) => [
				name,
				Object.fromEntries(
					Object.entries(row.median).map(([column, value]) => [
						column,
						`${value.toPrecision(3)} (x${(value / base[column]!).toFixed(2)})`,
					]),
				),
			]),
		),
	);
}
