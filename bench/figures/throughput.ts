import type { Figure } from '../figure.ts';
import { connect } from '../peer.ts';

const BYTES = 16 * 1024;
const COUNT = 2000;
const MEGABYTES = (BYTES * COUNT) / 1e6;

export const figure: Figure = {
	name: 'throughput',
	what: `${COUNT} messages of 16 KiB one way, two processes, CPU of both sides and their workers`,
	async measure(kind) {
		const { a, b } = await connect(kind);
		await a.ask('flood', { count: 200, bytes: BYTES });
		const before = a.cpuSeconds() + b.cpuSeconds();
		const { seconds } = await a.ask('flood', { count: COUNT, bytes: BYTES });
		const cpu = a.cpuSeconds() + b.cpuSeconds() - before;
		await Promise.all([a.end(), b.end()]);
		return { 'MB/s': MEGABYTES / seconds, 'CPU ms/MB': (cpu * 1000) / MEGABYTES };
	},
};
