import type { LogRecord } from '../../shim/link/log.ts';

/** Lines of one kind in a minute, whoever causes them. */
export const PER_KIND = 30;
/** Of these, lines that one session causes. */
export const PER_SESSION = 10;
/** Characters by which two lines are told apart. */
const COMPARED = 1_000;
/** Kinds that are told apart: a worker names its own. */
const MOST_KINDS = 64;

interface Minute {
	readonly first: LogRecord;
	/** What was admitted, to find repetitions; at most PER_KIND. */
	readonly told: Set<string>;
	/** Admitted lines by session; at most PER_KIND. */
	readonly sessions: Map<string, number>;
	more: number;
}

/**
 * How much of what happens is told in a minute: so many lines of a kind, fewer of one session, the same line once.
 * The rest is counted. Whoever floods the bridge, or knocks again and again, fills neither the log nor memory.
 */
export class LineQuota {
	readonly #minutes = new Map<string, Minute>();
	readonly #times: number;

	/** @param times as many lines as usual, for whoever debugs */
	constructor(times = 1) {
		this.#times = times;
	}

	/** Whether the record is to be written. */
	admit(record: LogRecord): boolean {
		const minute = this.#minuteOf(record);
		const line = JSON.stringify([record.message, record.fields]).slice(0, COMPARED);
		const session = String(record.fields?.session ?? '');
		const ofSession = minute.sessions.get(session) ?? 0;
		const isFull = minute.told.size >= PER_KIND * this.#times;
		const isLoud = session !== '' && ofSession >= PER_SESSION * this.#times;
		if (isFull || isLoud || minute.told.has(line)) {
			minute.more++;
			return false;
		}
		minute.told.add(line);
		minute.sessions.set(session, ofSession + 1);
		return true;
	}

	/** Begins another minute. Returns a record for each kind of which lines were left out in the last one. */
	turn(): LogRecord[] {
		const left = [...this.#minutes.values()].filter(({ more }) => more > 0);
		this.#minutes.clear();
		return left.map(({ first: { level, source, kind }, more }) => ({
			level,
			source,
			kind,
			message: `and ${more} more of these: ${kind}`,
			fields: { more },
		}));
	}

	#minuteOf(record: LogRecord): Minute {
		const name = `${record.source} ${record.kind}`;
		const key = this.#minutes.has(name) || this.#minutes.size < MOST_KINDS ? name : 'other kinds';
		const found = this.#minutes.get(key);
		if (found) return found;
		const first = key === name ? record : { ...record, kind: 'others' };
		const minute: Minute = { first, told: new Set(), sessions: new Map(), more: 0 };
		this.#minutes.set(key, minute);
		return minute;
	}
}
