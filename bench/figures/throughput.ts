import { type Figure, ratio } from '../figure.ts';
import { flood } from '../flood.ts';

const BYTES = 16 * 1024;
const COUNT = 2000;

export const figure: Figure = {
	name: 'throughput',
	what: `${COUNT} messages of 16 KiB one way, two processes, CPU of both sides and their workers`,
	quiet: { column: 'MB/s', value: 8.6 },
	async measure(kind) {
		const { count, seconds, cpu } = await flood(kind, COUNT, BYTES);
		const megabytes = (count * BYTES) / 1e6;
		return { 'MB/s': megabytes / seconds, 'CPU ms/MB': (cpu * 1000) / megabytes };
	},
	goals(medians) {
		const wall = ratio(medians, 'MB/s');
		return [{ text: `${wall.toFixed(2)} times aiortc's throughput (2 wanted)`, reached: wall >= 2 }];
	},
};
