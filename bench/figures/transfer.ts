import { type Figure, quantile } from '../figure.ts';
import { connect, type Peer } from '../peer.ts';

/** 1 GiB, unless a test has no time for it. */
const BYTES = Number(process.env.BENCH_TRANSFER_BYTES ?? 2 ** 30);
const MIB = 2 ** 20;
/** MiB by which a process may grow in the course of it: nothing that goes with the bytes. */
const FLAT = 48;

export const figure: Figure = {
	name: 'transfer',
	what: `${BYTES / MIB} MiB in messages of 64 KiB, one way, two processes; memory of the largest process of a side, at the end over a tenth of the way`,
	peers: ['aiortc-shim'],
	rounds: 1,
	async measure(kind) {
		const { a, b } = await connect(kind);
		// What the host keeps for young memory grows with the first hundreds of megabytes, once and for all.
		await a.ask('transfer', { bytes: BYTES / 2 });
		await b.ask('digest', {});
		const memory = [watch(a), watch(b)];
		const before = a.cpuSeconds() + b.cpuSeconds();
		const sent = await a.ask('transfer', { bytes: BYTES });
		const cpu = a.cpuSeconds() + b.cpuSeconds() - before;
		const received = await b.ask('digest', {});
		const [sender, receiver] = memory.map((watched) => watched.end());
		await Promise.all([a.end(), b.end()]);
		return {
			'MB/s': BYTES / 1e6 / sent.seconds,
			'CPU ms/MB': (cpu * 1000) / (BYTES / 1e6),
			'same digest': Number(sent.digest === received.digest),
			'sender grew MiB': sender! / MIB,
			'receiver grew MiB': receiver! / MIB,
		};
	},
	goals(medians) {
		const ours = medians['aiortc-shim']!;
		const grown = Math.max(ours['sender grew MiB']!, ours['receiver grew MiB']!);
		return [
			{ text: 'the digest of what arrived is that of what was sent', reached: ours['same digest'] === 1 },
			{ text: `memory grew by ${grown.toFixed(1)} MiB (${FLAT} allowed)`, reached: grown <= FLAT },
		];
	},
};

/** Looks at a peer's memory; `end` gives by how much its last tenth is above its first. */
function watch(peer: Peer): { end(): number } {
	const seen = [peer.memory()];
	const timer = setInterval(() => seen.push(peer.memory()), 200);
	return {
		end() {
			clearInterval(timer);
			seen.push(peer.memory());
			const tenth = Math.ceil(seen.length / 10);
			return Math.max(0, quantile(seen.slice(-tenth), 0.5) - quantile(seen.slice(0, tenth), 0.5));
		},
	};
}
