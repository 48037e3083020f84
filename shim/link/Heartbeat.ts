import { macrotask } from './macrotask.ts';
import { timer } from './timer.ts';

/** Turns of the event loop in which a socket may still be read, after the time is over. */
const TURNS = 10;

export interface HeartbeatOptions {
	/** Milliseconds of silence after which the other end is asked. */
	interval: number;
	/** Milliseconds that it has to answer. */
	patience: number;
	ping(n: number): void;
	/** It did not answer. */
	dead(): void;
}

/**
 * Notices that nothing comes any more. A clock alone would not do: after the event loop was blocked, timers fire before
 * sockets are read, so the verdict waits until the loop had a chance to read.
 */
export class Heartbeat {
	readonly #options: HeartbeatOptions;
	#heard = false;
	#pings = 0;
	#stop: (() => void) | null = null;

	constructor(options: HeartbeatOptions) {
		this.#options = options;
		this.#listen();
	}

	/** Something came. */
	heard(): void {
		this.#heard = true;
	}

	stop(): void {
		this.#stop?.();
		this.#stop = null;
	}

	#listen(): void {
		this.#heard = false;
		this.#stop = timer(this.#options.interval, () => {
			if (this.#heard) this.#listen();
			else this.#ask();
		});
	}

	#ask(): void {
		this.#options.ping(++this.#pings);
		this.#stop = timer(this.#options.patience, () => this.#judge(TURNS));
	}

	#judge(turns: number): void {
		if (this.#stop === null) return;
		if (this.#heard) this.#listen();
		else if (turns > 0) macrotask(() => this.#judge(turns - 1));
		else this.#options.dead();
	}
}
