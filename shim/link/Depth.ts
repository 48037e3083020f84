import { CHANNEL_CREDIT } from './frames.ts';

/** Bytes that may be under way however short the trip. */
const LEAST = 16 * 1024;
/** Bytes a millisecond that a trip is worth. */
const RATE = 40_000;
/** Milliseconds after which the trip is measured anew. */
const FRESH = 1000;
/** An estimate grows by so much a trip, so that it follows a path that has become longer. */
const GROWTH = 1.01;

/**
 * How many bytes of a channel's messages may be under way to its worker: what the link carries in a round trip. More
 * would keep no one busier; it would wait in sockets and turns, and make all else that goes there wait behind it.
 *
 * A trip is from a message that finds nothing of its channel under way to its credit. While there is always something
 * under way, the channel pauses once in a while to measure one.
 */
export class Depth {
	limit = LEAST;
	#trip = Number.POSITIVE_INFINITY;
	#began: number | null = null;
	#measured = Number.NEGATIVE_INFINITY;
	readonly #now: () => number;

	constructor(now = () => performance.now()) {
		this.#now = now;
	}

	/** A message goes, with nothing before it under way. */
	begin(): void {
		this.#began = this.#now();
	}

	/** Credit has come, for the message that began a trip if one was begun. */
	end(): void {
		if (this.#began === null) return;
		this.#measured = this.#now();
		this.#trip = Math.min(this.#measured - this.#began, this.#trip * GROWTH);
		this.#began = null;
		this.limit = Math.max(LEAST, Math.min(CHANNEL_CREDIT, this.#trip * RATE));
	}

	/** Whether a further message of `bytes` may go while `underWay` bytes are. */
	admits(bytes: number, underWay: number): boolean {
		if (underWay === 0) return true;
		return underWay + bytes <= this.limit && (this.limit === LEAST || this.#began !== null || !this.#isStale());
	}

	#isStale(): boolean {
		return this.#now() - this.#measured > Math.max(FRESH, 20 * this.#trip);
	}
}
