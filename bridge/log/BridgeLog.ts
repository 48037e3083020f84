import { clearInterval, setInterval } from 'node:timers';
import type { Log, LogLevel, LogRecord } from '../../shim/link/log.ts';
import { isLogged, KINDS, type Kind, LEVELS } from './kinds.ts';
import { LineQuota } from './LineQuota.ts';
import { Redaction } from './Redaction.ts';

const MINUTE_MS = 60_000;
/** Times as many lines, where somebody debugs. */
const DEBUGGING = 20;

/** What a bridge and its workers say, on its way to whoever listens: by level, so much a minute, and without secrets. */
export class BridgeLog {
	/** The least level that is written, which workers are started with. */
	readonly level: LogLevel;

	readonly #sink: Log;
	readonly #quota: LineQuota;
	readonly #redaction = new Redaction();
	readonly #timer: NodeJS.Timeout;

	constructor(sink: Log, level: LogLevel = levelOfEnvironment()) {
		this.#sink = sink;
		this.level = level;
		this.#quota = new LineQuota(level === 'debug' ? DEBUGGING : 1);
		this.#timer = setInterval(() => this.#turn(), MINUTE_MS).unref();
	}

	/** Says something of the bridge itself, in one sentence. */
	say(kind: Kind, message: string, fields?: LogRecord['fields']): void {
		this.pass({ level: KINDS[kind], source: 'bridge', kind, message, fields });
	}

	/** Takes a record, a worker's for one. */
	pass(record: LogRecord): void {
		if (isLogged(record.level, this.level) && this.#quota.admit(record)) this.#write(record);
	}

	/** Keeps a secret out of the log until the function that it returns is called. */
	hide(secret: string): () => void {
		this.#redaction.hide(secret);
		return () => this.#redaction.forget(secret);
	}

	/** Says what has been counted and not told; takes records still. */
	close(): void {
		clearInterval(this.#timer);
		this.#turn();
	}

	#turn(): void {
		for (const record of this.#quota.turn()) this.#write(record);
	}

	#write({ message, fields = {}, ...record }: LogRecord): void {
		const cleaned = Object.entries(fields).map(([name, value]) => [name, this.#clean(name, value)]);
		this.#sink({ ...record, message: this.#redaction.clean(message), fields: Object.fromEntries(cleaned) });
	}

	#clean(name: string, value: string | number): string | number {
		if (typeof value === 'number') return value;
		return name === 'traceback' ? this.#redaction.cleanTraceback(value) : this.#redaction.clean(value);
	}
}

/** The level that AIORTC_SHIM_LOG_LEVEL names, `debug` with AIORTC_SHIM_DEBUG, else `info`. */
export function levelOfEnvironment({ AIORTC_SHIM_LOG_LEVEL, AIORTC_SHIM_DEBUG } = process.env): LogLevel {
	const named = LEVELS.find((level) => level === AIORTC_SHIM_LOG_LEVEL);
	return named ?? (AIORTC_SHIM_DEBUG ? 'debug' : 'info');
}

/** Enough of a session's id to find its lines by. */
export function shortId(session: string): string {
	return session.slice(0, 8);
}
