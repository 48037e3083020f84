import type { Figure } from '../figure.ts';
import { connect } from '../peer.ts';

const COUNT = 8000;

export const figure: Figure = {
	name: 'messages',
	what: `${COUNT} messages of 64 bytes one way, two processes, CPU of both sides and their workers`,
	async measure(kind) {
		const { a, b } = await connect(kind);
		await a.ask('flood', { count: 500, bytes: 64 });
		const before = a.cpuSeconds() + b.cpuSeconds();
		const { seconds } = await a.ask('flood', { count: COUNT, bytes: 64 });
		const cpu = a.cpuSeconds() + b.cpuSeconds() - before;
		await Promise.all([a.end(), b.end()]);
		return { 'messages/s': COUNT / seconds, 'CPU ms/1000': (cpu * 1e6) / COUNT };
	},
};
