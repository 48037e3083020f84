import type { Log } from '../shim/link/log.ts';
import type { Refusal } from './handshake.ts';

/** Different refusals that are logged: whoever knocks chooses their words. */
const MOST = 100;

/** Tells whoever runs a bridge what it refused and how to let it in: each once, since a page knocks again and again. */
export class RefusalLog {
	readonly #log: Log;
	readonly #told = new Set<string>();

	constructor(log: Log) {
		this.#log = log;
	}

	report({ status, message }: Refusal): void {
		if (this.#told.has(message) || this.#told.size >= MOST) return;
		this.#told.add(message);
		this.#log({ level: 'warn', source: 'bridge', message: `refused with ${status}: ${message.slice(0, 300)}` });
	}
}
