import type { Figure, Medians, Sample } from '../figure.ts';
import { flood } from '../flood.ts';
import { Peer } from '../peer.ts';

const LARGE = { count: 4000, bytes: 16 * 1024 };
const SMALL = { count: 16_000, bytes: 64 };

export const figure: Figure = {
	name: 'link',
	what: 'messages from the shim to a worker that hands each back, without a network: CPU of what both sides of a channel do',
	peers: ['link', 'aiortc'],
	async measure(kind) {
		if (kind.name !== 'link') return stock(kind);
		const peer = new Peer(kind);
		await peer.ask('flood', LARGE);
		const sample = columns(await cpuOf(peer, LARGE), await cpuOf(peer, SMALL));
		await peer.end();
		return sample;
	},
	goals(medians) {
		return [goal(medians, 'CPU ms/MB', 0.15), goal(medians, 'CPU ms/1000', 0.25)];
	},
};

async function stock(kind: Parameters<Figure['measure']>[0]): Promise<Sample> {
	const large = await flood(kind, 1000, LARGE.bytes);
	const small = await flood(kind, 4000, SMALL.bytes);
	return columns((large.cpu / large.count) * LARGE.count, (small.cpu / small.count) * SMALL.count);
}

async function cpuOf(peer: Peer, { count, bytes }: typeof LARGE): Promise<number> {
	const before = peer.cpuSeconds();
	await peer.ask('flood', { count, bytes });
	return peer.cpuSeconds() - before;
}

function columns(large: number, small: number): Sample {
	return {
		'CPU ms/MB': (large * 1000) / ((LARGE.count * LARGE.bytes) / 1e6),
		'CPU ms/1000': (small * 1e6) / SMALL.count,
	};
}

function goal(medians: Medians, column: string, wanted: number) {
	const share = medians.link![column]! / medians.aiortc![column]!;
	const text = `the link costs ${(100 * share).toFixed(0)} % of aiortc's ${column} (${100 * wanted} wanted)`;
	return { text, reached: share <= wanted };
}
