import { type Figure, quantile } from '../figure.ts';
import { connect } from '../peer.ts';

const COUNT = 1000;
/** Round trips before any is measured: a V8 compiles what has become hot meanwhile. */
const WARM = 2000;

export const figure: Figure = {
	name: 'roundTrip',
	what: `64 bytes there and back, ${COUNT} times, one after another`,
	async measure(kind) {
		const { a, b } = await connect(kind);
		await a.ask('ping', { count: WARM, bytes: 64 });
		const before = a.cpuSeconds() + b.cpuSeconds();
		const { trips } = await a.ask('ping', { count: COUNT, bytes: 64 });
		const cpu = a.cpuSeconds() + b.cpuSeconds() - before;
		await Promise.all([a.end(), b.end()]);
		return { 'p50 ms': quantile(trips, 0.5), 'p99 ms': quantile(trips, 0.99), 'CPU ms/1000': (cpu * 1e6) / COUNT };
	},
	goals(medians) {
		const added = (medians['aiortc-shim']!['p50 ms']! - medians.aiortc!['p50 ms']!) / 2;
		return [{ text: `the link adds ${added.toFixed(3)} ms a side (0.15 wanted)`, reached: added < 0.15 }];
	},
};
