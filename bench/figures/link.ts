import { type Figure, type Goal, type Medians, quantile, type Sample } from '../figure.ts';
import { type Flooded, flood } from '../flood.ts';
import { connect, Peer, type PeerKind } from '../peer.ts';

const LARGE = { count: 4000, bytes: 16 * 1024 };
const SMALL = { count: 16_000, bytes: 64 };
const PING = { count: 2000, bytes: 64 };

export const figure: Figure = {
	name: 'link',
	what: 'messages from the shim to a worker that hands each back, without a network: CPU of what both sides of a channel do',
	peers: ['link', 'aiortc'],
	async measure(kind) {
		if (kind.name !== 'link') return stock(kind);
		const peer = new Peer(kind);
		await peer.ask('flood', LARGE);
		const sample = columns(await cpuOf(peer, LARGE), await cpuOf(peer, SMALL));
		await peer.ask('ping', PING);
		const { trips } = await peer.ask('ping', PING);
		await peer.end();
		return { ...sample, 'p50 ms': quantile(trips, 0.5) };
	},
	goals(medians) {
		// A side's part of a round trip is once up and once down its link.
		const trip = medians.link!['p50 ms']!;
		const text = `the link alone takes ${trip.toFixed(3)} ms of a side's round trip (0.15 wanted)`;
		const round: Goal = { text, reached: trip < 0.15 };
		return [goal(medians, 'CPU ms/MB', 0.15), goal(medians, 'CPU ms/1000', 0.25), round];
	},
};

async function stock(kind: PeerKind): Promise<Sample> {
	const large = await flood(kind, 1000, LARGE.bytes);
	const small = await flood(kind, 4000, SMALL.bytes);
	const { a, b } = await connect(kind);
	const { trips } = await a.ask('ping', { count: 500, bytes: PING.bytes });
	await Promise.all([a.end(), b.end()]);
	const sample = columns(cpuEach(large) * LARGE.count, cpuEach(small) * SMALL.count);
	return { ...sample, 'p50 ms': quantile(trips, 0.5) };
}

const cpuEach = ({ sender, receiver, count }: Flooded) => (sender + receiver) / count;

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

function goal(medians: Medians, column: string, wanted: number): Goal {
	const share = medians.link![column]! / medians.aiortc![column]!;
	const text = `the link costs ${(100 * share).toFixed(0)} % of aiortc's ${column} (${100 * wanted} wanted)`;
	return { text, reached: share <= wanted };
}
