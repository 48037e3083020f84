/** Connections that have not shown a token yet: a bounded number of them, of which each address has its share. */

import type { Duplex } from 'node:stream';

/** Connections that may be there at once: as many as a kernel hands over at once (Node's backlog is 511), and one. */
const MOST = 512;

export interface Stranger {
	readonly stream: Duplex;
	/** As remoteAddress() has it. */
	readonly address: string;
	/** Grows from one to the next. */
	readonly arrival: number;
	/** Closes the connection when its place is another's. */
	dismiss: () => void;
}

export class Strangers {
	readonly #onfull: (address: string) => void;
	readonly #most: number;
	/** By address; those of each in the order of their arrival. */
	readonly #waiting = new Map<string, Set<Stranger>>();
	readonly #known = new WeakMap<Duplex, Stranger>();
	#size = 0;
	#arrivals = 0;

	/** @param onfull told whose connection was closed because there were too many */
	constructor(onfull: (address: string) => void, most: number = MOST) {
		this.#onfull = onfull;
		this.#most = most;
	}

	get size(): number {
		return this.#size;
	}

	/**
	 * Takes in a connection until its end, or until it is no stranger any more. When there are too many, the oldest of the
	 * address that has most of them is closed: whoever opens many displaces its own.
	 */
	add(stream: Duplex, address: string): void {
		const stranger = { stream, address, arrival: this.#arrivals++, dismiss: () => stream.destroy() };
		this.#known.set(stream, stranger);
		stream.once('close', () => this.delete(stranger));
		const own = this.#waiting.get(address) ?? new Set();
		this.#waiting.set(address, own.add(stranger));
		if (++this.#size > this.#most) this.#dismissOne();
	}

	/** What add() made of the connection. */
	of(stream: Duplex): Stranger | undefined {
		return this.#known.get(stream);
	}

	delete(stranger: Stranger): void {
		const own = this.#waiting.get(stranger.address);
		if (!own?.delete(stranger)) return;
		this.#size--;
		if (own.size === 0) this.#waiting.delete(stranger.address);
	}

	#dismissOne(): void {
		const oldest = oldestOf([...this.#waiting.values()].reduce(fuller));
		this.delete(oldest);
		oldest.dismiss();
		this.#onfull(oldest.address);
	}
}

/** Of two addresses' connections the more; of equally many those whose oldest came first. */
function fuller(a: Set<Stranger>, b: Set<Stranger>): Set<Stranger> {
	if (a.size !== b.size) return a.size > b.size ? a : b;
	return oldestOf(a).arrival < oldestOf(b).arrival ? a : b;
}

function oldestOf(own: ReadonlySet<Stranger>): Stranger {
	return own.values().next().value!;
}
