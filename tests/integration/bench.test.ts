/** A round of the bench: the table is printed, beside aiortc's figures, and the JSON written. */
import { test } from 'uvu';
import { type Expected, runOnce } from './benchRound.ts';

const OWN = ['aiortc-shim', 'aiortc'];
const PEERS = 'aiortc-shim,aiortc-shim by a bridge,aiortc,link';
const FLOOD = ['MB/s', 'CPU ms/MB', 'sender CPU ms/MB', 'receiver CPU ms/MB'];
/** Of each figure, who takes part and what is measured. The other projects' peers would have to be fetched. */
const FIGURES: Expected = {
	firstMessage: {
		peers: ['aiortc-shim', 'aiortc-shim by a bridge', 'aiortc'],
		columns: ['start to message ms'],
		goals: 0,
	},
	connect: { peers: ['aiortc-shim', 'aiortc-shim by a bridge', 'aiortc'], columns: ['connect ms'], goals: 0 },
	throughput: { peers: OWN, columns: FLOOD, goals: 1 },
	roundTrip: { peers: OWN, columns: ['p50 ms', 'p99 ms', 'CPU ms/1000'], goals: 1 },
	messages: { peers: OWN, columns: ['messages/s', 'CPU ms/1000'], goals: 1 },
	besideBulk: {
		peers: ['aiortc-shim by a bridge'],
		columns: ['alone p99 ms', 'same session p99 ms', 'other session p99 ms'],
		goals: 2,
	},
	link: { peers: ['aiortc', 'link'], columns: ['CPU ms/MB', 'CPU ms/1000', 'p50 ms'], goals: 3 },
	transfer: { peers: ['aiortc-shim'], columns: ['MB/s', 'CPU ms/MB', 'same digest'], goals: 2 },
};

test('every figure is printed and written for each peer, with CPU for bytes and messages, and what it was to reach', () =>
	runOnce(FIGURES, PEERS));

test.run();
