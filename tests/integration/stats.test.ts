/** What a report costs: the calls that it makes of the worker. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createShim } from '../../entries/node.ts';
import type { StatsEntry } from '../../shim/api/RTCStatsReport.ts';
import { makePair, negotiate } from './pcPair.ts';

/** Objects of which counters were asked since the test looked last. */
let asked: number[] = [];
const shim = createShim({
	debug: (line) => {
		const [, id] = /^→ \{"call":\d+,"on":(\d+),"do":"getStats"/.exec(line) ?? [];
		if (id) asked.push(Number(id));
	},
});
const RECEIVERS = 23;

test.before(() => shim.ready);
test.after(() => shim.close());

/** A pair whose answerer receives from 23 senders, over one transport, and has a channel. */
async function pairOfMany() {
	const pair = makePair({ Connection: shim.RTCPeerConnection });
	const stream = await shim.mediaDevices.getUserMedia({ audio: true });
	for (let n = 0; n < RECEIVERS; n++) {
		pair.offerer.addTransceiver(stream.getTracks()[0]!, { direction: 'sendonly' });
	}
	pair.offerer.createDataChannel('chat');
	const open = new Promise((resolve) => {
		pair.answerer.ondatachannel = resolve;
	});
	await negotiate(pair);
	await open;
	const close = () => {
		for (const track of stream.getTracks()) track.stop();
		pair.close();
	};
	asked = [];
	return { ...pair, close };
}

const typesOf = (report: Iterable<[string, StatsEntry]>) =>
	[...new Set([...report].map(([, { type }]) => type))].sort().join();

test('reports of one turn ask each object of the worker once', async () => {
	const { answerer, close } = await pairOfMany();
	const reports = await Promise.all([
		...answerer.getReceivers().map((receiver) => receiver.getStats()),
		...answerer.getSenders().map((sender) => sender.getStats()),
		answerer.getStats(),
		answerer.getStats(),
	]);
	// Each receiver, its sender, ICE, DTLS and the channel.
	assert.is(asked.length, new Set(asked).size);
	assert.is(asked.length, 2 * RECEIVERS + 3);
	assert.equal([...reports.at(-1)!.keys()], [...reports.at(-2)!.keys()]);
	close();
});

test('a receiver’s report asks the receiver and its transport, and has what leads from it', async () => {
	const { answerer, close } = await pairOfMany();
	const [first] = answerer.getReceivers();
	let report = await first!.getStats();
	for (const end = Date.now() + 5000; Date.now() < end && report.size === 0; ) report = await first!.getStats();
	asked = [];
	report = await first!.getStats();
	assert.is(asked.length, 3);
	const all = await answerer.getStats();
	for (const id of report.keys()) assert.ok(all.has(id), id);
	assert.match(
		typesOf(report),
		/^candidate-pair,certificate,codec,inbound-rtp,local-candidate,remote-candidate,.*transport$/,
	);
	assert.is([...report.values()].filter(({ type }) => type === 'inbound-rtp').length, 1);
	close();
});

test('a later turn asks anew', async () => {
	const { answerer, close } = await pairOfMany();
	const [first] = answerer.getReceivers();
	const [before] = await Promise.all([first!.getStats(), first!.getStats()]);
	assert.is(asked.length, 3);
	await first!.getStats();
	assert.is(asked.length, 6);
	assert.ok(before);
	close();
});

test.run();
