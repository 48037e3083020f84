import type { Context } from '../shim/rpc/context.ts';
import { LinkError, Session, type SessionOptions, type Welcome } from '../shim/rpc/Session.ts';

export interface SessionsOptions extends SessionOptions {
	/** Those of the program that have a session: this one is among them from its first session to the end of its last. */
	readonly live?: Set<Sessions>;
	/** Lets go of what connect() made; called by close(), when every session has ended. */
	readonly release?: () => Promise<void>;
}

/**
 * The sessions of a shim. What is new goes to the one that has least to do: connections, and tracks that they encode.
 * So what is made ahead of a connection (a source, a certificate) is where that will be, and a program with one
 * connection has one session. A lost one takes its connections along, and the next that is due there gets another.
 */
export class Sessions implements Context {
	/** Called when a session is lost, after every object of it has heard so; not when close() ends it. */
	onlost: ((error: Error) => void) | null = null;

	readonly #options: SessionsOptions;
	readonly #sessions: (Session | null)[];
	/** Those that were neither lost nor ended. */
	readonly #open = new Set<Session>();
	#closing: Promise<void> | null = null;

	/** @param count sessions at most, each in a worker of its own where the bridge has as many */
	constructor(options: SessionsOptions, count = 1) {
		this.#options = options;
		this.#sessions = Array.from({ length: count }, () => null);
	}

	/** @throws {InvalidStateError} the shim is closed */
	session(): Session {
		if (this.#closing) throw new DOMException('The shim is closed: createShim() makes another', 'InvalidStateError');
		const open = this.#sessions.map((session) => (session?.failure ? null : session));
		const isOpen = open.some((session) => session !== null);
		// A bridge that has no more of them to give is not asked again while there are others.
		const usable = [...open.keys()].filter((index) => !isOpen || open[index] || !isRefused(this.#sessions[index]));
		const loads = usable.map((index) => open[index]?.scope.load ?? 0);
		const least = Math.min(...loads);
		const equals = usable.filter((_, at) => loads[at] === least);
		// Among equals another is the first at each level: of connections that are made in pairs, one to send and one to
		// receive, those that send would all be in the same session otherwise.
		const chosen = equals.find((index) => index >= least % open.length) ?? equals[0]!;
		return open[chosen] ?? this.#begin(chosen);
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

	#begin(index: number): Session {
		// What is new waits for a bridge that is full, until there is a session that can have what comes next.
		const roomSeconds = () => (this.welcome ? 0 : this.#options.roomSeconds?.());
		const session = new Session({ ...this.#options, roomSeconds });
		session.onfailure = (error) => {
			if (this.#forget(session)) this.onlost?.(error);
		};
		this.#sessions[index] = session;
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

/** Whether the bridge allows no more sessions, or has no more workers. */
function isRefused(session: Session | null | undefined): boolean {
	const cause = session?.failure?.cause;
	return !session?.welcome && cause instanceof LinkError && cause.isFull;
}
