import type { Figure } from '../figure.ts';
import { OF_INTEROP, OF_NPM } from '../others.ts';
import { connect } from '../peer.ts';

export const figure: Figure = {
	name: 'connect',
	what: 'from createOffer to an open channel, candidates in the description, processes warm',
	peers: ['aiortc-shim', 'aiortc-shim by a bridge', 'aiortc', ...OF_NPM, ...OF_INTEROP],
	async measure(kind) {
		const { a, b, connectMs } = await connect(kind);
		await Promise.all([a.end(), b.end()]);
		return { 'connect ms': connectMs };
	},
};
