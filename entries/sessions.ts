import type { Context } from '../shim/rpc/context.ts';
import { Session, type SessionOptions, type Welcome } from '../shim/rpc/Session.ts';

export interface SessionsOptions extends SessionOptions {
	/** Those of the program that have a session: this one is among them from its first session to the end of its last. */
	readonly live?: Set<Sessions>;
	/** Lets go of what connect() made; called by close(), when every session has ended. */
	readonly release?: () => Promise<void>;
}

/** The sessions of a shim: root objects are spread over them, a lost one is replaced by the next that needs one. */
export class Sessions implements Context {
	/** Called when a session is lost, after every object of it has heard so; not when close() ends it. */
	onlost: ((error: Error) => void) | null = null;

	readonly #options: SessionsOptions;
	readonly #sessions: (Session | null)[];
	/** Those that were neither lost nor ended. */
	readonly #open = new Set<Session>();
	#next = 0;
	#closing: Promise<void> | null = null;

	/** @param count sessions at most, each in a worker of its own where the bridge has as many */
	constructor(options: SessionsOptions, count = 1) {
		this.#options = options;
		this.#sessions = Array.from({ length: count }, () => null);
	}

	/** @throws {InvalidStateError} the shim is closed */
	session(): Session {
		if (this.#closing) throw new DOMException('The shim is closed: createShim() makes another', 'InvalidStateError');
		const index = this.#next;
		this.#next = (index + 1) % this.#sessions.length;
		const existing = this.#sessions[index];
		if (existing && !existing.failure) return existing;
		const session = this.#begin();
		this.#sessions[index] = session;
		return session;
	}

	/**
	 * Resolves when a worker is there, which is begun if none is; keeps the process alive so long.
	 *
	 * @throws {InvalidStateError} why there is none
	 */
	async ready(): Promise<void> {
		const [session = this.session()] = [...this.#open].filter(({ failure }) => !failure);
		const release = session.hold();
		try {
			await session.ready;
		} finally {
			release();
		}
	}

	/** What a bridge has said of the worker and of what it allows, once it has. */
	get welcome(): Welcome | null {
		for (const { welcome } of this.#open) if (welcome) return welcome;
		return null;
	}

	/** Ends every session, and with it every object; another begins when it is asked for. */
	async end(): Promise<void> {
		const open = [...this.#open];
		this.#sessions.fill(null);
		for (const session of open) this.#forget(session);
		await Promise.all(open.map((session) => session.close()));
	}

	/** Ends every session for good; resolves when nothing is left of them. Keeps the process alive so long. */
	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		const { keepAlive, release } = this.#options;
		keepAlive?.ref();
		try {
			await this.end();
			await release?.();
		} finally {
			keepAlive?.unref();
		}
	}

	#begin(): Session {
		const session = new Session(this.#options);
		session.onfailure = (error) => {
			if (this.#forget(session)) this.onlost?.(error);
		};
		this.#open.add(session);
		this.#options.live?.add(this);
		return session;
	}

	/** Whether it was among the open ones. */
	#forget(session: Session): boolean {
		const wasOpen = this.#open.delete(session);
		if (this.#open.size === 0) this.#options.live?.delete(this);
		return wasOpen;
	}
}
