/** A peer: a program that holds one end of a connection and does as lines of JSON on its standard input say. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

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

export interface PeerKind {
	name: string;
	command: string;
	args: string[];
	env?: Record<string, string>;
	/** Of the job's messages, what a slow peer does, so that a round of it does not take minutes; 1 unless given. */
	share?: number;
}

const TICKS_PER_SECOND = 100;
const PAGE = 4096;

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
		const line = new Promise<string>((resolve, reject) => {
			this.#waiting.push(resolve);
			this.ended.then(() => reject(new Error(`a peer ended while asked to ${what}`)));
		});
		this.#child.stdin!.write(`${JSON.stringify({ do: what, ...params })}\n`);
		return JSON.parse(await line);
	}

	get pid(): number {
		return this.#child.pid!;
	}

	/** The most bytes that the peer or one of its children has in memory now. */
	memory(): number {
		const pages = processesOf(this.#child.pid!).map((pid) => residentPagesOf(pid));
		return Math.max(...pages) * PAGE;
	}

	/** CPU seconds that the peer and its children have used so far (Linux: by its process group). */
	cpuSeconds(): number {
		const ticks = processesOf(this.#child.pid!).map((pid) => ticksOf(pid));
		return ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND;
	}

	/** Ends the peer by closing its input; what does not end by itself in 5 s is killed. */
	async end(): Promise<void> {
		this.#child.stdin!.end();
		const timer = setTimeout(() => process.kill(-this.#child.pid!, 'SIGKILL'), 5000);
		await this.ended;
		clearTimeout(timer);
	}
}

/** The processes of a group, which are a peer and its children. */
function processesOf(group: number): string[] {
	const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
	return all.filter((pid) => Number(fieldsOf(pid)[2]) === group);
}

/** Of /proc/PID/stat, those behind the name; none when the process has ended meanwhile. */
function fieldsOf(pid: string): string[] {
	try {
		return readFileSync(join('/proc', pid, 'stat'), 'utf8')
			.split(') ')[1]!
			.split(' ');
	} catch {
		return [];
	}
}

function ticksOf(pid: string): number {
	const fields = fieldsOf(pid);
	return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

function residentPagesOf(pid: string): number {
	return Number(fieldsOf(pid)[21] ?? 0);
}

/** Two peers of a kind, connected by one channel; `connectMs` from the first ask to the open channel, processes warm. */
export async function connect(kind: PeerKind): Promise<{ a: Peer; b: Peer; connectMs: number }> {
	const a = new Peer(kind);
	const b = new Peer(kind);
	// The first connection pays for imports and start-up; the second is the one that counts.
	await negotiate(a, b);
	await Promise.all([a.ask('close', {}), b.ask('close', {})]);
	const started = performance.now();
	await negotiate(a, b);
	return { a, b, connectMs: performance.now() - started };
}

export async function negotiate(a: Peer, b: Peer): Promise<void> {
	const offer = await a.ask('offer', {});
	const answer = await b.ask('answer', offer);
	await a.ask('accept', answer);
}
