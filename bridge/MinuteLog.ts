import type { Log } from '../shim/link/log.ts';
import { timer } from '../shim/link/timer.ts';

const MINUTE_MS = 60_000;
/** Addresses that are counted apart; what others do counts for all of them together. */
const MOST = 1_000;

interface Tally {
	/** How often since the last line, by address. */
	counts: Map<string, number>;
	stop: () => void;
}

/** Says what strangers do again and again: at once the first time, then once a minute how often it was. */
export class MinuteLog {
	readonly #log: Log;
	readonly #after: typeof timer;
	readonly #tallies = new Map<string, Tally>();

	/** @param after calls back after milliseconds, and returns what stops it */
	constructor(log: Log, after: typeof timer = timer) {
		this.#log = log;
		this.#after = after;
	}

	/**
	 * @param what happened: a sentence of this program's own, since each is remembered for a minute
	 * @param address whose doing it was
	 */
	note(what: string, address: string): void {
		const tally = this.#tallies.get(what);
		if (tally) {
			const key = tally.counts.has(address) || tally.counts.size < MOST ? address : 'others';
			tally.counts.set(key, (tally.counts.get(key) ?? 0) + 1);
			return;
		}
		this.#warn(`${what} (from ${address})`);
		this.#tallies.set(what, this.#begin(what));
	}

	/** Says what is not said yet. */
	close(): void {
		for (const [what, { counts, stop }] of this.#tallies) {
			stop();
			this.#sum(what, counts);
		}
		this.#tallies.clear();
	}

	#begin(what: string): Tally {
		const counts = new Map<string, number>();
		return { counts, stop: this.#after(MINUTE_MS, () => this.#minuteIsOver(what, counts)) };
	}

	#minuteIsOver(what: string, counts: ReadonlyMap<string, number>): void {
		this.#sum(what, counts);
		// After a minute in which it did not happen, the next time is a first one.
		if (counts.size > 0) this.#tallies.set(what, this.#begin(what));
		else this.#tallies.delete(what);
	}

	#sum(what: string, counts: ReadonlyMap<string, number>): void {
		if (counts.size === 0) return;
		const all = [...counts.values()].reduce((a, b) => a + b);
		const [address, most] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
		this.#warn(`${what} (in the last minute ${all} more, ${most} of them from ${address})`);
	}

	#warn(message: string): void {
		this.#log({ level: 'warn', source: 'bridge', kind: 'strangers', message });
	}
}
