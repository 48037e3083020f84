import { type Figure, quantile } from '../figure.ts';
import { connect } from '../peer.ts';

export const figure: Figure = {
	name: 'roundTrip',
	what: '64 bytes there and back, 1,000 times, one after another',
	async measure(kind) {
		const { a, b } = await connect(kind);
		await a.ask('ping', { count: 100, bytes: 64 });
		const { trips } = await a.ask('ping', { count: 1000, bytes: 64 });
		await Promise.all([a.end(), b.end()]);
		return { 'p50 ms': quantile(trips, 0.5), 'p99 ms': quantile(trips, 0.99) };
	},
};
