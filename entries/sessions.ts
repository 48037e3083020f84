import type { Context } from '../shim/rpc/context.ts';
import { Session, type SessionOptions } from '../shim/rpc/Session.ts';

/** The sessions of a shim: root objects are spread over them, a lost one is replaced by the next that needs one. */
export class Sessions implements Context {
	readonly #options: SessionOptions;
	readonly #sessions: (Session | null)[];
	#next = 0;

	/** @param count sessions at most, each in a worker of its own where the bridge has as many */
	constructor(options: SessionOptions, count = 1) {
		this.#options = options;
		this.#sessions = Array.from({ length: count }, () => null);
	}

	session(): Session {
		const index = this.#next;
		this.#next = (index + 1) % this.#sessions.length;
		const existing = this.#sessions[index];
		if (existing && !existing.failure) return existing;
		const session = new Session(this.#options);
		// Its failure is told by the objects that it failed.
		session.ready.catch(() => {});
		this.#sessions[index] = session;
		return session;
	}

	/** Whether a session has begun that was neither lost nor closed. */
	get isOpen(): boolean {
		return this.#sessions.some((session) => session !== null && !session.failure);
	}

	/** Ends every session, and with it every object. */
	async close(): Promise<void> {
		const open = this.#sessions.filter((session) => session !== null);
		this.#sessions.fill(null);
		await Promise.all(open.map((session) => session.close()));
	}
}
