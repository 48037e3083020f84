import { invalidState } from './errors.ts';

interface Closable {
	readonly isClosed: boolean;
}

/**
 * Runs a connection's asynchronous operations one after another.
 * @see https://www.w3.org/TR/webrtc/#dfn-operations-chain
 */
export class OperationsChain {
	readonly #connection: Closable;
	readonly #onempty: () => void;
	readonly #operations: (() => void)[] = [];

	/** @param onempty called when the last operation is over */
	constructor(connection: Closable, onempty: () => void) {
		this.#connection = connection;
		this.#onempty = onempty;
	}

	get isEmpty(): boolean {
		return this.#operations.length === 0;
	}

	/**
	 * Runs `operation` when those before it are over; at once when there is none.
	 * What it gives is never settled once the connection is closed.
	 *
	 * @throws {InvalidStateError} the connection is closed
	 */
	chain<T>(operation: () => Promise<T>): Promise<T> {
		// 2.
		if (this.#connection.isClosed) return Promise.reject(invalidState('The connection is closed'));
		// 4. – 7.
		return new Promise((resolve, reject) => {
			const settle = (how: () => void): void => {
				if (this.#connection.isClosed) return;
				// Before what the caller does next; a reaction to its promise would hide that nobody handles a rejection.
				queueMicrotask(() => this.#next());
				how();
			};
			this.#operations.push(() => {
				operation().then(
					(value) => settle(() => resolve(value)),
					(error: unknown) => settle(() => reject(error)),
				);
			});
			if (this.#operations.length === 1) this.#operations[0]!();
		});
	}

	/** Step 7.4. */
	#next(): void {
		if (this.#connection.isClosed) return;
		this.#operations.shift();
		const next = this.#operations[0];
		if (next) next();
		else this.#onempty();
	}
}
