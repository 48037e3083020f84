import { type Figure, ratio } from '../figure.ts';
import { flood, perMegabyte } from '../flood.ts';
import { FLOODING } from '../others.ts';

const BYTES = 16 * 1024;
const COUNT = 2000;

export const figure: Figure = {
	name: 'throughput',
	what: `${COUNT} messages of 16 KiB one way, two processes, CPU of both sides and their workers`,
	peers: FLOODING,
	quiet: { column: 'MB/s', value: 8.6 },
	async measure(kind) {
		return perMegabyte(await flood(kind, COUNT, BYTES), BYTES);
	},
	goals(medians) {
		const wall = ratio(medians, 'MB/s');
		return [{ text: `${wall.toFixed(2)} times aiortc's throughput (2 wanted)`, reached: wall >= 2 }];
	},
};
