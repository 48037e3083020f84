import type { Remote } from '../../rpc/Remote.ts';
import type { CallOut } from '../../rpc/types.ts';
import { nextTask } from '../../webidl/task.ts';
import type { Connection } from '../connection.ts';

/** Types of the worker's objects that count something. */
type Counting = 'RtpSender' | 'RtpReceiver' | 'IceTransport' | 'DtlsTransport' | 'DataChannel';
type Counters<T extends Counting> = CallOut<T, 'getStats'>;

const polls = new WeakMap<Connection, StatsPoll>();

/** What the reports that are asked for in one turn share: each object of the worker is asked once. */
export class StatsPoll {
	/** Resolves when the turn is over; what is asked for before counts until then, at least. */
	readonly begun: Promise<void>;
	readonly #replies = new Map<Remote<Counting>, Promise<unknown>>();

	/** The poll of this turn. */
	static of(connection: Connection): StatsPoll {
		const poll = polls.get(connection) ?? new StatsPoll(connection);
		polls.set(connection, poll);
		return poll;
	}

	private constructor(connection: Connection) {
		this.begun = nextTask().then(() => void polls.delete(connection));
	}

	/** The object's counters; null when it cannot answer: it is not there, is being closed, or the session is lost. */
	ask<T extends Counting>(handle: Remote<T> | null): Promise<Counters<T> | null> {
		if (!handle) return Promise.resolve(null);
		const counting = handle as Remote<Counting>;
		const reply = this.#replies.get(counting) ?? counting.call('getStats', {}).catch(() => null);
		this.#replies.set(counting, reply);
		return reply as Promise<Counters<T> | null>;
	}
}
