/** Lets a number of pieces of work run at a time; the others wait, in the order in which they came. */
export class Gate {
	#free: number;
	readonly #waiting: (() => void)[] = [];

	/** @param width pieces of work at a time */
	constructor(width: number) {
		this.#free = width;
	}

	/** Settles as `work` does. */
	async run<T>(work: () => Promise<T>): Promise<T> {
		if (this.#free > 0) this.#free--;
		else await new Promise<void>((resolve) => this.#waiting.push(resolve));
		try {
			return await work();
		} finally {
			const next = this.#waiting.shift();
			if (next) next();
			else this.#free++;
		}
	}
}
