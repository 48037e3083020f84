import { FRAGMENT } from './frames.ts';
import { macrotask } from './macrotask.ts';
import { timer } from './timer.ts';

/** Turns of the event loop in which a socket may still be read, after the time is over. */
const TURNS = 10;
/** A timer that is late by this part of the interval says that this side slept, or was blocked. */
const SLEPT = 0.4;

export interface HeartbeatOptions {
	/** Milliseconds without a proof after which the other end is asked for one. */
	interval: number;
	/** Milliseconds that it has to give one. */
	patience: number;
	ping(): void;
	/** It gave none: the path is to be given up. Called once, and nothing after it. */
	dead(): void;
}

/**
 * Notices that a path is dead. What counts as a proof that it lives is the owner's to say: for a shim what shows that a
 * frame of its own arrived and that the answer came back, so that a path which is dead one way is dead.
 *
 * Times are of `performance.now()`, which no change of the clock moves. The verdict falls only when this side was awake
 * to hear the answer: after the event loop was blocked, timers fire before sockets are read, so the loop gets turns to
 * read first; after a sleep (a frozen page, a stopped process) the other end is asked once more.
 */
export class Heartbeat {
	readonly #options: HeartbeatOptions;
	#provedAt = performance.now();
	/** While an answer is waited for: when the wait ends. */
	#due: number | null = null;
	/** Whether it was asked once more, since this side slept. */
	#askedAgain = false;
	/** Bytes that came since it was asked. */
	#heard = 0;
	#stop: (() => void) | null = null;

	constructor(options: HeartbeatOptions) {
		this.#options = options;
		this.#listen();
	}

	/** The path was seen to work. */
	proved(): void {
		this.#provedAt = performance.now();
		if (this.#due === null || this.#stop === null) return;
		this.#stop();
		this.#due = null;
		this.#askedAgain = false;
		this.#listen();
	}

	/** Something came that proves one direction alone. */
	heard(bytes: number): void {
		this.#heard += bytes;
	}

	stop(): void {
		this.#stop?.();
		this.#stop = null;
	}

	#listen(): void {
		const { interval } = this.#options;
		const rest = this.#provedAt + interval - performance.now();
		if (rest > 0) this.#stop = timer(rest, () => this.#listen());
		else this.#ask();
	}

	#ask(): void {
		const { patience, ping } = this.#options;
		this.#due = performance.now() + patience;
		this.#heard = 0;
		this.#stop = timer(patience, () => this.#judge(TURNS));
		ping();
	}

	#judge(turns: number): void {
		if (this.#stop === null || this.#due === null) return;
		if (turns > 0) {
			macrotask(() => this.#judge(turns - 1));
		} else if (this.#heard >= FRAGMENT) {
			// On a slow link the answer waits behind a window of data.
			this.#ask();
		} else if (this.#slept(this.#due) && !this.#askedAgain) {
			this.#askedAgain = true;
			this.#ask();
		} else {
			this.stop();
			this.#options.dead();
		}
	}

	#slept(due: number): boolean {
		return performance.now() - due > this.#options.interval * SLEPT;
	}
}
