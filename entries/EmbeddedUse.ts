import type { Log } from '../shim/link/log.ts';
import type { Endpoint } from '../shim/rpc/Session.ts';

/** A shim's use of the process's embedded bridge, which ends with its last user. */
export class EmbeddedUse {
	readonly #log: Log;
	readonly #workers: number;
	/** Imported when it is needed: programs that name a bridge have no use for it. */
	#module: Promise<typeof import('../bridge/embedded.ts')> | null = null;

	/** @param workers that the shim is to have, if it can */
	constructor(log: Log, workers: number) {
		this.#log = log;
		this.#workers = workers;
	}

	async connect(): Promise<Endpoint> {
		this.#module ??= import('../bridge/embedded.ts');
		const { startEmbedded } = await this.#module;
		return startEmbedded(this, this.#log, this.#workers);
	}

	async release(): Promise<void> {
		if (!this.#module) return;
		const { leaveEmbedded } = await this.#module;
		await leaveEmbedded(this);
	}
}
