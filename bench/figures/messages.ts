import { type Figure, ratio } from '../figure.ts';
import { flood } from '../flood.ts';
import { FLOODING } from '../others.ts';

const COUNT = 40_000;
/** What a slow peer does its share of: werift slows down with what is queued, and needs minutes for 4,000. */
const SLOW_COUNT = 8000;

export const figure: Figure = {
	name: 'messages',
	what: `${COUNT} messages of 64 bytes one way, two processes, CPU of both sides and their workers`,
	peers: FLOODING,
	quiet: { column: 'messages/s', value: 4476 },
	async measure(kind) {
		const { count, seconds, sender, receiver } = await flood(kind, (kind.share ?? 1) < 1 ? SLOW_COUNT : COUNT, 64);
		return { 'messages/s': count / seconds, 'CPU ms/1000': ((sender + receiver) * 1e6) / count };
	},
	goals(medians) {
		const wall = ratio(medians, 'messages/s');
		return [{ text: `${wall.toFixed(2)} times aiortc's messages a second (8 wanted)`, reached: wall >= 8 }];
	},
};
