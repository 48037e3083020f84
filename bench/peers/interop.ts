/**
 * A program of tests/interop as a peer of the bench, for floods: BENCH_LAUNCH says how it is started.
 *
 * The program counts what comes on its channel "flood", and is asked for the count: a flood is seen to be over up to
 * POLL_MS late, and this process's part in the CPU time is that of the asking.
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Launch, Peer } from '../../tests/interop/driver/Peer.ts';
import type { Asks } from '../peer.ts';

const POLL_MS = 10;
const CHANNELS = ['bench', 'flood'];

const peer = await Peer.start(JSON.parse(process.env.BENCH_LAUNCH!) as Launch);
let candidates: string[] = [];
let gathered: Promise<void>;
/** Texts that came on the channel "bench" and were acted on. */
let heard = 0;
/** The connection that is there. */
let current = Symbol('first');

async function open(): Promise<void> {
	heard = 0;
	current = Symbol('open');
	candidates = [];
	gathered = new Promise((resolve) => {
		peer.oncandidate = (candidate) => {
			if (candidate?.candidate) candidates.push(candidate.candidate);
			else resolve();
		};
	});
	await peer.ask('open', {});
}

/** A description with the candidates that trickle in it. */
async function whole({ sdp }: { sdp: string }): Promise<{ sdp: string }> {
	await gathered;
	const missing = candidates.filter((candidate) => !sdp.includes(candidate));
	return { sdp: sdp + missing.map((candidate) => `a=${candidate.replace(/^a=/, '')}\r\n`).join('') };
}

/** The bytes of the next text of the other end; a report has of a text no more. */
async function nextText(): Promise<number> {
	for (;;) {
		const { messages } = await peer.ask('report', {});
		const text = messages[heard];
		if (text) {
			heard++;
			return text.bytes;
		}
		await sleep(POLL_MS);
	}
}

/** Answers each flood when all of it is there. What announces one has as many bytes as the flood has messages. */
async function receiveFloods(mine: symbol): Promise<void> {
	let counted = 0;
	while (mine === current) {
		counted += await nextText();
		while (mine === current && (await peer.ask('report', {})).flood.count < counted) await sleep(POLL_MS);
		await peer.ask('send', { label: 'bench', text: 'done' });
	}
}

async function opened(): Promise<void> {
	for (;;) {
		const { channels } = await peer.ask('report', {});
		if (CHANNELS.every((label) => channels[label] === 'open')) return;
		await sleep(1);
	}
}

const does: Partial<{ [A in keyof Asks]: (params: Asks[A]['in']) => Promise<Asks[A]['out']> }> = {
	async offer() {
		await open();
		for (const label of CHANNELS) await peer.ask('channel', { label });
		return whole(await peer.ask('offer', {}));
	},
	async answer({ sdp }) {
		await open();
		const answer = await whole(await peer.ask('answer', { sdp }));
		void receiveFloods(current).catch(() => {
			// The connection is over, or the program.
		});
		return answer;
	},
	async accept({ sdp }) {
		await peer.ask('accept', { sdp });
		await opened();
		return {};
	},
	async flood({ count, bytes }) {
		const started = performance.now();
		await peer.ask('send', { label: 'bench', text: 'x'.repeat(count) });
		await peer.ask('flood', { label: 'flood', count, bytes });
		await nextText();
		return { seconds: (performance.now() - started) / 1000 };
	},
	async close() {
		current = Symbol('closed');
		await peer.ask('close', {});
		return {};
	},
};

for await (const line of createInterface(process.stdin)) {
	const { do: what, ...params } = JSON.parse(line) as { do: keyof Asks };
	const answer = await (does[what] as (params: object) => Promise<object>)(params);
	console.log(JSON.stringify(answer));
}
await peer.end();
process.exit();
