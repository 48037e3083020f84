/** A peer: a process of its own that does as it is asked, line by line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Asks, End, Events, RoomAsks } from './protocol.ts';

/** How a peer is started, once all that it needs is there. */
export interface Launch {
	command: string;
	args: string[];
	env?: Record<string, string>;
	/** Where its lines go and come from; its standard input and output unless given. */
	channel?: LineChannel;
	/** Called when it has ended. */
	cleanup?: () => Promise<void>;
}

/** A way for lines other than standard input and output. */
export interface LineChannel {
	send(line: string): void;
	onLine: (line: string) => void;
}

interface Answer {
	id: number;
	error?: string;
}

/** A first start reads a browser from the disk. */
const READY_MS = 60_000;
const ANSWER_MS = 30_000;
const ROOM_MS = 120_000;
/** Lines of its standard error that are kept for a failure's reason. */
const TAIL = 15;

/** Those that run: a browser would outlive this process. */
const alive = new Set<Peer>();
process.once('exit', () => {
	for (const peer of alive) peer.kill();
});

export class Peer implements End {
	oncandidate: (candidate: RTCIceCandidateInit | null) => void = () => {};
	/** As the peer tells it. */
	version = '';
	readonly ended: Promise<void>;
	readonly #child: ChildProcess;
	readonly #channel: LineChannel;
	readonly #launch: Launch;
	readonly #waiting = new Map<number, { resolve: (answer: object) => void; reject: (error: Error) => void }>();
	readonly #said: string[] = [];
	#lastId = 0;
	#onready = () => {};

	/** @throws an Error with the end of what the peer said, when it does not start */
	static async start(launch: Launch): Promise<Peer> {
		const peer = new Peer(launch);
		const ready = new Promise<void>((resolve) => {
			peer.#onready = resolve;
		});
		await peer.#inTime(Promise.race([ready, peer.#failAtEnd('it started')]), READY_MS, 'start');
		return peer;
	}

	private constructor(launch: Launch) {
		this.#launch = launch;
		this.#child = spawn(launch.command, launch.args, {
			detached: true,
			env: { ...process.env, ...launch.env },
			stdio: ['pipe', 'pipe', 'pipe'],
		});
		const { stdin, stdout, stderr } = this.#child;
		alive.add(this);
		this.ended = new Promise((resolve) => {
			this.#child.once('close', () => {
				alive.delete(this);
				resolve();
			});
			this.#child.once('error', (error) => {
				this.#note(String(error));
				resolve();
			});
		});
		stdin!.on('error', () => {});
		createInterface({ input: stderr! }).on('line', (line) => this.#note(line));
		const lines = createInterface({ input: stdout! });
		this.#channel = launch.channel ?? { send: (line) => stdin!.write(`${line}\n`), onLine: () => {} };
		this.#channel.onLine = (line) => this.#take(line);
		lines.on('line', (line) => (launch.channel ? this.#note(line) : this.#take(line)));
	}

	ask<A extends keyof Asks>(what: A, params: Asks[A]['in']): Promise<Asks[A]['out']> {
		return this.#ask(what, params, ANSWER_MS) as Promise<Asks[A]['out']>;
	}

	/** Of a peer that is a room. */
	askRoom(what: RoomAsks['room']['in']['what']): Promise<RoomAsks['room']['out']> {
		return this.#ask('room', { what }, ROOM_MS) as Promise<RoomAsks['room']['out']>;
	}

	async #ask(what: string, params: object, patience: number): Promise<object> {
		const id = ++this.#lastId;
		const answer = new Promise<object>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
		this.#channel.send(JSON.stringify({ id, do: what, ...params }));
		return this.#inTime(Promise.race([answer, this.#failAtEnd(what)]), patience, what);
	}

	/** As a crash: nothing says goodbye. */
	kill(): void {
		if (this.#child.pid === undefined) return;
		try {
			process.kill(-this.#child.pid, 'SIGKILL');
		} catch {
			// Nobody is left of its group.
		}
	}

	/** What does not end by itself when its input ends is killed. */
	async end(): Promise<void> {
		this.#child.stdin!.end();
		const timer = setTimeout(() => this.kill(), this.#launch.channel ? 0 : 3_000);
		await this.ended;
		clearTimeout(timer);
		this.kill();
		await this.#launch.cleanup?.();
	}

	#take(line: string): void {
		const said = parse(line);
		if (!said) this.#note(line);
		else if ('event' in said) this.#happened(said);
		else this.#answered(said);
	}

	#answered(said: Answer): void {
		const waiting = this.#waiting.get(said.id);
		this.#waiting.delete(said.id);
		if (said.error === undefined) waiting?.resolve(said);
		else waiting?.reject(new Error(`peer: ${said.error}`));
	}

	#happened(event: Events): void {
		if (event.event === 'ready') {
			this.version = event.version;
			this.#onready();
		} else this.oncandidate(event.candidate);
	}

	#note(line: string): void {
		this.#said.push(line);
		if (this.#said.length > TAIL) this.#said.shift();
		if (process.env.INTEROP_DEBUG) console.error(`    ${line}`);
	}

	async #failAtEnd(what: string): Promise<never> {
		await this.ended;
		throw new Error(`the peer ended before ${what}: ${this.#said.join(' | ')}`);
	}

	async #inTime<T>(work: Promise<T>, milliseconds: number, what: string): Promise<T> {
		let timer: NodeJS.Timeout;
		const late = new Promise<never>((_, reject) => {
			timer = setTimeout(
				() => reject(new Error(`the peer did not ${what} in ${milliseconds / 1_000} s`)),
				milliseconds,
			);
		});
		return Promise.race([work, late]).finally(() => clearTimeout(timer));
	}
}

function parse(line: string): Answer | Events | null {
	if (!line.startsWith('{')) return null;
	try {
		return JSON.parse(line);
	} catch {
		return null;
	}
}
