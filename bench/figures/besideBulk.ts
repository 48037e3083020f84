import { type Figure, quantile, type Sample } from '../figure.ts';
import { connect, type Peer } from '../peer.ts';

/** As many as take seconds: beside a thousand, those of the moment in which bulk begins are more than one of a hundred. */
const COUNT = 4000;
/** Round trips, beside bulk, before any is measured: V8 compiles what has become hot beside what is to be measured. */
const WARM = 4000;

export const figure: Figure = {
	name: 'besideBulk',
	what: `64 bytes there and back, ${COUNT} times, beside 16 KiB messages sent without a pause: on another channel, and in other sessions of the bridge`,
	peers: ['aiortc-shim by a bridge'],
	async measure(kind) {
		const [same, other] = [await connect(kind), await connect(kind)];
		for (const { a } of [same, other]) await withBulk(a, () => ping(same.a, WARM));
		const alone = await ping(same.a);
		const besideOwn = await withBulk(same.a, () => ping(same.a));
		const besideOthers = await withBulk(other.a, () => ping(same.a));
		await Promise.all([same, other].flatMap(({ a, b }) => [a.end(), b.end()]));
		return { ...named('alone', alone), ...named('same session', besideOwn), ...named('other session', besideOthers) };
	},
	goals(medians) {
		const own = medians['aiortc-shim by a bridge']!;
		return ['same session', 'other session'].map((where) => {
			const p99 = own[`${where} p99 ms`]!;
			return { text: `p99 beside a bulk channel of the ${where} ${p99.toFixed(2)} ms (5 wanted)`, reached: p99 < 5 };
		});
	},
};

async function ping(peer: Peer, count = COUNT): Promise<number[]> {
	const { trips } = await peer.ask('ping', { count, bytes: 64 });
	return trips;
}

async function withBulk(peer: Peer, run: () => Promise<number[]>): Promise<number[]> {
	await peer.ask('bulk', { on: true });
	const trips = await run();
	await peer.ask('bulk', { on: false });
	return trips;
}

function named(where: string, trips: number[]): Sample {
	return { [`${where} p50 ms`]: quantile(trips, 0.5), [`${where} p99 ms`]: quantile(trips, 0.99) };
}
