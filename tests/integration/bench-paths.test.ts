/** The bench over paths between machines: in a network of its own, by its relay. */
import { test } from 'uvu';
import { type Expected, runOnce } from './benchRound.ts';

const FLOOD = ['MB/s', 'CPU ms/MB', 'sender CPU ms/MB', 'receiver CPU ms/MB'];
const PEERS = ['aiortc-shim', 'aiortc'];
/** They need a network of their own, which not every machine gives, and Go for the relay. */
const FIGURES: Expected = {
	ethernet: { peers: PEERS, columns: FLOOD, goals: 0, needsNetwork: true },
	path20: { peers: PEERS, columns: [...FLOOD, 'relay CPU %'], goals: 0, needsNetwork: true },
	path100: { peers: PEERS, columns: [...FLOOD, 'relay CPU %'], goals: 0, needsNetwork: true },
};

test('floods over Ethernet and over long paths are printed and written, or why this machine has none', () =>
	runOnce(FIGURES, PEERS.join()));

test.run();
