import { CloseCode } from '../shim/link/frames.ts';
import type { Context } from '../shim/rpc/context.ts';
import { LinkError, Session, type SessionOptions } from '../shim/rpc/Session.ts';

/**
 * The sessions of a shim. What is new goes to the one that has least to do: connections, and tracks that they encode.
 * So what is made ahead of a connection (a source, a certificate) is where that will be, and a program with one
 * connection has one session. A lost one takes its connections along, and the next that is due there gets another.
 */
export class Sessions implements Context {
	readonly #options: SessionOptions;
	readonly #sessions: (Session | null)[];

	/** @param count sessions at most, each in a worker of its own where the bridge has as many */
	constructor(options: SessionOptions, count = 1) {
		this.#options = options;
		this.#sessions = Array.from({ length: count }, () => null);
	}

	session(): Session {
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

	#begin(index: number): Session {
		const session = new Session(this.#options);
		// Its failure is told by the objects that it failed.
		session.ready.catch(() => {});
		this.#sessions[index] = session;
		return session;
	}
}

/** Whether the bridge allows no more sessions, or has no more workers. */
function isRefused(session: Session | null | undefined): boolean {
	const failure = session?.failure;
	return !session?.welcome && failure instanceof LinkError && failure.code === CloseCode.limit;
}
