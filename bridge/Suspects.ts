/** Who has shown wrong tokens lately. */

/** Wrong tokens that cost nothing: somebody sets something up. */
const FREE = 5;
const FIRST_MS = 50;
const LONGEST_MS = 1_000;
/** After which without a wrong token an address is as good as any. */
const FORGOTTEN_MS = 60_000;
/** Addresses that are remembered; of more, those that showed a wrong token last. */
const MOST = 1_024;

/**
 * For how long the verdict on a token is kept back from an address. A right token waits as long as a wrong one, or
 * guesses that are not answered at once would be known for wrong; but never long, since others may have the same
 * address: the neighbours behind a NAT, and everybody behind a proxy.
 */
export class Suspects {
	/** By address, in the order of their latest wrong token. */
	readonly #wrong = new Map<string, { count: number; at: number }>();

	get size(): number {
		return this.#wrong.size;
	}

	/** The address has shown a wrong token; `now` in milliseconds. */
	note(address: string, now: number): void {
		const count = this.#count(address, now) + 1;
		this.#wrong.delete(address);
		this.#wrong.set(address, { count, at: now });
		if (this.#wrong.size > MOST) this.#wrong.delete(this.#wrong.keys().next().value!);
	}

	/** Milliseconds, at most 1,000, for which the verdict on what the address shows next is kept back. */
	delay(address: string, now: number): number {
		const beyond = this.#count(address, now) - FREE;
		return beyond < 0 ? 0 : Math.min(FIRST_MS * 2 ** beyond, LONGEST_MS);
	}

	#count(address: string, now: number): number {
		const wrong = this.#wrong.get(address);
		return wrong && now - wrong.at < FORGOTTEN_MS ? wrong.count : 0;
	}
}
