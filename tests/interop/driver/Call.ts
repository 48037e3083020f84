/** A connection between the shim and a peer, and what scenarios do with it. */
import { createHash } from 'node:crypto';
import { decodeRecordings } from '../media/media.ts';
import type { Peer } from './Peer.ts';
import type { Asks, End, Kind, Message, Report } from './protocol.ts';
import { ShimEnd } from './ShimEnd.ts';

/** Who offers. */
export type Role = 'shim' | 'peer';

export const PATIENCE = 10_000;
const INTERVAL = 50;

export class Call {
	readonly shim: ShimEnd;
	readonly peer: Peer;
	readonly role: Role;
	/** Candidates that wait for the description that they belong to, by the end that found them. */
	readonly #held = new Map<End, (RTCIceCandidateInit | null)[] | null>();

	constructor(peer: Peer, role: Role, configuration?: RTCConfiguration) {
		this.shim = new ShimEnd(configuration);
		this.peer = peer;
		this.role = role;
	}

	async open(options: Asks['open']['in'] = {}): Promise<void> {
		await this.peer.ask('open', options);
		await this.shim.ask('open', {});
		for (const end of this.ends) {
			this.#held.set(end, []);
			end.oncandidate = (candidate) => {
				const held = this.#held.get(end);
				if (held) held.push(candidate);
				else void this.#give(end, candidate);
			};
		}
	}

	async close(): Promise<void> {
		for (const end of this.ends) end.oncandidate = () => {};
		await this.shim.ask('close', {});
		await this.peer.ask('close', {});
	}

	get ends(): readonly [End, End] {
		return [this.shim, this.peer];
	}

	get offerer(): End {
		return this.role === 'shim' ? this.shim : this.peer;
	}

	other(end: End): End {
		return end === this.shim ? this.peer : this.shim;
	}

	/** An exchange of descriptions, candidates trickling both ways; gives them. */
	async negotiate(
		offerer = this.offerer,
		options: Asks['offer']['in'] = {},
	): Promise<{ offer: string; answer: string }> {
		const offer = await this.describe(offerer, 'offer', options);
		return { offer, answer: await this.answer(offerer, offer) };
	}

	/** An end's own description; its candidates wait until the other has that. */
	async describe(end: End, what: 'offer' | 'answer', params: object): Promise<string> {
		this.#held.set(end, []);
		return (await end.ask(what, params as { sdp: string })).sdp;
	}

	/** The rest of an exchange. */
	async answer(offerer: End, offer: string): Promise<string> {
		const answerer = this.other(offerer);
		const answer = await this.describe(answerer, 'answer', { sdp: offer });
		await this.#release(offerer);
		await offerer.ask('accept', { sdp: answer });
		await this.#release(answerer);
		return answer;
	}

	/** Waits until an end's report satisfies. */
	async until(end: End, what: string, holds: (report: Report) => unknown, patience = PATIENCE): Promise<Report> {
		for (const limit = performance.now() + patience; ; ) {
			const report = await end.ask('report', {});
			if (await holds(report)) return report;
			if (performance.now() > limit) {
				throw new Error(`${this.name(end)}: not in ${patience / 1_000} s: ${what}; ${brief(report)}`);
			}
			await new Promise((resolve) => setTimeout(resolve, INTERVAL));
		}
	}

	/** As until(), of both ends at once. */
	async untilBoth(what: string, holds: (report: Report) => unknown, patience = PATIENCE): Promise<void> {
		await Promise.all(this.ends.map((end) => this.until(end, what, holds, patience)));
	}

	name(end: End): Role {
		return end === this.shim ? 'shim' : 'peer';
	}

	/** Waits for an open channel at both ends. */
	async opened(label: string): Promise<void> {
		await this.untilBoth(`channel ${label} open`, ({ channels }) => channels[label] === 'open');
	}

	/** Sends messages on a channel, and waits until they have come, whole and in order. */
	async say(from: End, label: string, messages: readonly (string | Buffer)[]): Promise<void> {
		const to = this.other(from);
		const before = (await to.ask('report', {})).messages.length;
		for (const message of messages) {
			await from.ask(
				'send',
				typeof message === 'string' ? { label, text: message } : { label, base64: message.toString('base64') },
			);
		}
		const { messages: all } = await this.until(
			to,
			`${messages.length} messages of the ${this.name(from)}`,
			(report) => report.messages.length >= before + messages.length,
		);
		const came = all.slice(before).map(describe);
		const sent = messages.map((message) => describe(receiptOf(label, message)));
		if (came.join() !== sent.join()) throw new Error(`${this.name(to)} got ${came}; sent were ${sent}`);
	}

	/** A message each way. */
	async talk(label: string): Promise<void> {
		await this.say(this.shim, label, ['Are you there? 🎈']);
		await this.say(this.peer, label, [Buffer.from([1, 2, 3])]);
	}

	/** Waits until each of these ends has decoded what the other sends. */
	async flows(kind: Kind, ends: readonly End[] = this.ends, frames = 15): Promise<void> {
		const enough = (report: Report) =>
			kind === 'audio' ? (report.heard?.seconds ?? 0) >= 0.5 && report.heard!.level > 0.02 : seenBy(report) >= frames;
		await Promise.all(ends.map((end) => this.#untilDecoded(end, `${kind} decoded`, enough)));
	}

	/** As until(), with what the end's recordings decode to. */
	async #untilDecoded(end: End, what: string, holds: (report: Report) => unknown): Promise<Report> {
		return this.until(end, what, async (report) => {
			await decodeRecordings(report);
			return holds(report);
		});
	}

	/** An end's report, with what its recordings decode to. */
	async report(end: End): Promise<Report> {
		return decodeRecordings(await end.ask('report', {}));
	}

	async #release(end: End): Promise<void> {
		const held = this.#held.get(end) ?? [];
		this.#held.set(end, null);
		for (const candidate of held) await this.#give(end, candidate);
	}

	/** A candidate that the other end has no use for is its own affair: what counts is whether they connect. */
	async #give(from: End, candidate: RTCIceCandidateInit | null): Promise<void> {
		await this.other(from)
			.ask('candidate', { candidate })
			.catch((error: Error) => process.env.INTEROP_DEBUG && console.error(`    candidate: ${error.message}`));
	}
}

/** Frames that an end has decoded. */
export function seenBy(report: Report): number {
	return report.seen?.frames ?? 0;
}

function receiptOf(label: string, message: string | Buffer): Message {
	const bytes = Buffer.from(message);
	const digest = createHash('sha256').update(bytes).digest('hex');
	return { label, type: typeof message === 'string' ? 'text' : 'binary', bytes: bytes.length, digest };
}

function describe({ label, type, bytes, digest }: Message): string {
	return `${label}: ${type} of ${bytes} (${digest.slice(0, 8)})`;
}

function brief({ messages, ...report }: Report): string {
	return JSON.stringify({ ...report, messages: messages.length });
}
