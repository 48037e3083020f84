/** A peer: a program that holds one end of a connection and does as lines of JSON on its standard input say. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { cpuSecondsOf, memoryOf, type Program } from './processes.ts';

/** What a peer can be asked, and what it answers. */
export interface Asks {
	/** Makes a connection with one data channel, gathers, gives its offer. */
	offer: { in: object; out: { sdp: string } };
	answer: { in: { sdp: string }; out: { sdp: string } };
	/** Answers once the channel is open. */
	accept: { in: { sdp: string }; out: object };
	/** Sends `count` messages of `bytes`, each when the one before has been echoed; round trips in ms. */
	ping: { in: { count: number; bytes: number }; out: { trips: number[] } };
	/** Sends `count` messages of `bytes` as fast as the channel takes them; `seconds` till the other end said that it has all. */
	flood: { in: { count: number; bytes: number }; out: { seconds: number } };
	/** Begins, or ends, to send 16 KiB messages as fast as it can on a second channel. */
	bulk: { in: { on: boolean }; out: object };
	/** Sends `bytes` in messages of 64 KiB; the digest of what was sent. */
	transfer: { in: { bytes: number }; out: { seconds: number; digest: string } };
	/** The digest of all bytes that came since the last time. */
	digest: { in: object; out: { digest: string } };
	/** Closes its connection. */
	close: { in: object; out: object };
}

export interface PeerKind extends Program {
	name: string;
	env?: Record<string, string>;
	/** Of the job's messages, what a slow peer does, so that a round of it does not take minutes; 1 unless given. */
	share?: number;
}

/** Nothing that is asked takes as long. */
const PATIENCE_MS = 180_000;

export class Peer {
	readonly #child: ChildProcess;
	readonly #waiting: ((line: string) => void)[] = [];
	readonly ended: Promise<void>;

	constructor(kind: PeerKind) {
		this.#child = spawn(kind.command, kind.args, {
			detached: true,
			env: { ...process.env, ...kind.env },
			stdio: ['pipe', 'pipe', 'inherit'],
		});
		this.ended = new Promise((resolve) => this.#child.once('close', () => resolve()));
		createInterface(this.#child.stdout!).on('line', (line) => this.#waiting.shift()?.(line));
	}

	/** Asks one thing; answers come in the order of the asks. */
	async ask<A extends keyof Asks>(what: A, params: Asks[A]['in']): Promise<Asks[A]['out']> {
		let timer: NodeJS.Timeout;
		const line = new Promise<string>((resolve, reject) => {
			this.#waiting.push(resolve);
			this.ended.then(() => reject(new Error(`a peer ended while asked to ${what}`)));
			const late = () => reject(new Error(`a peer did not ${what} in ${PATIENCE_MS / 1000} s`));
			timer = setTimeout(late, PATIENCE_MS);
		});
		this.#child.stdin!.write(`${JSON.stringify({ do: what, ...params })}\n`);
		return JSON.parse(await line.finally(() => clearTimeout(timer)));
	}

	get pid(): number {
		return this.#child.pid!;
	}

	/** The most bytes that the peer or one of its descendants has in memory now. */
	memory(): number {
		return memoryOf(this.pid);
	}

	/** CPU seconds that the peer and its descendants have used so far (Linux). */
	cpuSeconds(): number {
		return cpuSecondsOf(this.pid);
	}

	/** Ends the peer by closing its input; what does not end by itself in 5 s is killed. */
	async end(): Promise<void> {
		this.#child.stdin!.end();
		const timer = setTimeout(() => process.kill(-this.#child.pid!, 'SIGKILL'), 5000);
		await this.ended;
		clearTimeout(timer);
	}
}

/** What lies between two peers: what a description becomes on its way from `side` to the other. */
export interface Way {
	describe(side: 'a' | 'b', sdp: string): Promise<string>;
}

const DIRECT: Way = { describe: async (_, sdp) => sdp };

/**
 * Two peers of a kind, connected by one channel, each time over another way; `connectMs` from the first ask to the open
 * channel, processes warm.
 */
export async function connect(
	kind: PeerKind,
	way: () => Way = () => DIRECT,
): Promise<{ a: Peer; b: Peer; connectMs: number }> {
	const a = new Peer(kind);
	const b = new Peer(kind);
	try {
		// The first connection pays for imports and start-up; the second is the one that counts.
		await negotiate(a, b, way());
		await Promise.all([a.ask('close', {}), b.ask('close', {})]);
		const started = performance.now();
		await negotiate(a, b, way());
		return { a, b, connectMs: performance.now() - started };
	} catch (error) {
		await Promise.all([a.end(), b.end()]);
		throw error;
	}
}

export async function negotiate(a: Peer, b: Peer, way = DIRECT): Promise<void> {
	const offer = await a.ask('offer', {});
	const answer = await b.ask('answer', { sdp: await way.describe('a', offer.sdp) });
	await a.ask('accept', { sdp: await way.describe('b', answer.sdp) });
}
