import type { Figure } from '../figure.ts';
import { flood, perMegabyte } from '../flood.ts';
import { Namespace } from '../Namespace.ts';
import { FLOODING } from '../others.ts';
import { Relay, relayProgram } from '../Relay.ts';

const BYTES = 16 * 1024;
const MTU = 1500;
/** Of the messages, what a test has time for. */
const SHARE = Number(process.env.BENCH_SHARE ?? 1);

interface Path {
	name: string;
	what: string;
	/** Messages; a path that loses packets lets few through a second. */
	count: number;
	rounds?: number;
	delayMs?: number;
	loss?: number;
}

/** A figure over packets of Ethernet, in a network of the bench's own, by a relay where there is a delay. */
function over({ name, what, count: full, rounds, delayMs = 0, loss = 0 }: Path): Figure {
	const count = full * SHARE;
	return {
		name,
		what: `${count} messages of 16 KiB one way, two processes, packets of at most ${MTU} bytes${what}; CPU of both sides and their workers`,
		peers: FLOODING,
		rounds,
		lacks: whatIsMissing,
		async measure(kind) {
			const network = await Namespace.make(MTU);
			const within = network.within.bind(network);
			const relays: Relay[] = [];
			const way = () => {
				relays.push(new Relay({ delayMs, loss, seed: 1 }, within));
				return relays.at(-1)!;
			};
			try {
				const flooded = await flood(within(kind), count, BYTES, delayMs ? way : undefined);
				return { ...perMegabyte(flooded, BYTES), ...(delayMs ? await carriedBy(relays.at(-1)!, flooded.seconds) : {}) };
			} finally {
				await Promise.all(relays.map((relay) => relay.end()));
				network.end();
			}
		},
	};
}

async function whatIsMissing(): Promise<string | null> {
	try {
		const network = await Namespace.make(MTU);
		network.end();
		await relayProgram();
		return null;
	} catch (error) {
		return (error as Error).message;
	}
}

/** Whether the relay kept up: the share of a core that it needed, and what it had to drop. */
async function carriedBy(relay: Relay, seconds: number): Promise<Record<string, number>> {
	const cpu = relay.cpuSeconds();
	const { overrun } = await relay.end();
	return { 'relay CPU %': (100 * cpu) / seconds, 'relay overrun': overrun };
}

export const ethernet = over({ name: 'ethernet', what: '', count: 2000 });
export const path20 = over({
	name: 'path20',
	what: ', a round trip of 20 ms',
	count: 1000,
	rounds: 3,
	delayMs: 10,
});
export const path100 = over({
	name: 'path100',
	what: ', a round trip of 100 ms and a loss of 0.1 %',
	count: 300,
	rounds: 3,
	delayMs: 50,
	loss: 0.001,
});
