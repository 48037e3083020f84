import type { Figure } from '../figure.ts';
import { negotiate, Peer } from '../peer.ts';

export const figure: Figure = {
	name: 'firstMessage',
	what: 'from the start of two processes to the first message echoed: a script that has to import everything',
	peers: ['aiortc-shim', 'aiortc-shim by a bridge', 'aiortc'],
	async measure(kind) {
		const started = performance.now();
		const a = new Peer(kind);
		const b = new Peer(kind);
		await negotiate(a, b);
		await a.ask('ping', { count: 1, bytes: 64 });
		const ms = performance.now() - started;
		await Promise.all([a.end(), b.end()]);
		return { 'start to message ms': ms };
	},
};
