import { macrotask } from './macrotask.ts';
import { Queue } from './Queue.ts';

interface Item {
	run: () => void;
	/** Counted frames of which this is the last, and their bytes. */
	frames: number;
	bytes: number;
}

/**
 * Runs what came in, in order, each in a macrotask of its own: promise continuations run in between, so that a loop
 * which awaits one message at a time misses none of those that came together.
 */
export class Dispatcher {
	readonly #queue = new Queue<Item>();
	readonly #taken: (frames: number, bytes: number) => void;

	/** `taken` is told of counted frames of which all was run. */
	constructor(taken: (frames: number, bytes: number) => void) {
		this.#taken = taken;
	}

	push(run: () => void): void {
		this.#queue.push({ run, frames: 0, bytes: 0 });
		macrotask(this.#next);
	}

	/** All of a counted frame of `bytes` was queued: it is taken when what is queued now was run. */
	endFrame(bytes: number): void {
		const last = this.#queue.last();
		if (last === undefined) {
			this.#taken(1, bytes);
			return;
		}
		last.frames += 1;
		last.bytes += bytes;
	}

	readonly #next = (): void => {
		const { run, frames, bytes } = this.#queue.shift()!;
		try {
			run();
		} finally {
			if (frames > 0) this.#taken(frames, bytes);
		}
	};
}
