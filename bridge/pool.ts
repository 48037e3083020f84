/** The workers: started ahead, shared as the isolation allows, replaced when they die. */

import type { Log } from '../shim/link/log.ts';
import { discardBroken, ensurePython } from './python.ts';
import { Worker } from './worker.ts';
import { WorkerStartError } from './workerErrors.ts';

/** An idle worker is ended after this, unless it is kept as a spare. */
const IDLE_MS = 30_000;
/** Between attempts to start a spare while they fail; doubles up to 32 s. */
const RETRY_MS = 500;

export interface PoolOptions {
	/** The interpreter; the managed environment's unless given. */
	readonly python?: string;
	/** Workers at most, until allow() allows more. */
	readonly workers: number;
	/** Idle workers kept ready; one worker is there in any case. */
	readonly spares: number;
	readonly unref: boolean;
	/** Takes what is said of a worker, and what it says on stderr. */
	readonly log: Log;
}

/** Every worker that may be had serves others. */
export class PoolFullError extends Error {
	override readonly name = 'PoolFullError';
}

interface Spare {
	readonly started: Promise<Worker>;
	/** Once it has started. */
	worker: Worker | null;
}

export class Pool {
	readonly #options: PoolOptions;
	readonly #spares = new Set<Spare>();
	/** Those that have an owner, or are on their way to one. */
	readonly #owned = new Set<Worker>();
	/** On their way out. */
	readonly #retiring = new Set<Promise<void>>();
	/** Workers that were asked for and are neither spare nor owned yet. */
	#coming = 0;
	/** Workers that are being started, whoever is to have them. */
	readonly #launches = new Set<Promise<Worker>>();
	readonly #timers = new Set<NodeJS.Timeout>();
	readonly #closing = new AbortController();
	#failures = 0;
	#most: number;

	constructor(options: PoolOptions) {
		this.#options = options;
		this.#most = options.workers;
	}

	/** Allows so many workers at once, unless more are allowed already. */
	allow(workers: number): void {
		this.#most = Math.max(this.#most, workers);
	}

	/**
	 * Starts the first workers.
	 *
	 * @returns when the first is ready
	 * @throws {SetupError | WorkerStartError} why it cannot be
	 */
	async start(): Promise<void> {
		this.#refill();
		await Promise.any([...this.#spares].map((spare) => spare.started)).catch((error: AggregateError) => {
			throw error.errors[0];
		});
	}

	get size(): number {
		return this.#spares.size + this.#owned.size + this.#coming;
	}

	/**
	 * A worker for a session of `owner`: an idle one of its own, a new one, or when there may be no more its least loaded.
	 * release() gives it back.
	 *
	 * @throws {PoolFullError | SetupError | WorkerStartError}
	 */
	async place(owner: string): Promise<Worker> {
		const own = [...this.#owned].filter((worker) => worker.owner === owner);
		const least = own.sort((a, b) => Number(b.answers) - Number(a.answers) || a.sessions - b.sessions)[0];
		const isFree = least?.answers && least.sessions === 0;
		if (least && (isFree || !this.#hasRoom())) return take(least);
		if (!this.#hasRoom()) await this.#makeRoom();
		const worker = await this.#next();
		worker.owner = owner;
		return take(worker);
	}

	/** Gives a worker back; one that serves a single session ends with it. */
	release(worker: Worker, reusable: boolean): void {
		worker.sessions--;
		if (worker.sessions > 0 || !worker.alive) return;
		if (!reusable) {
			void this.#retire(worker);
			return;
		}
		this.#later(IDLE_MS, () => {
			if (worker.sessions === 0 && this.size > 1) void this.#retire(worker);
		});
	}

	/** Gives back a worker that turned out to be dead. */
	discard(worker: Worker): void {
		worker.sessions--;
		void this.#retire(worker);
	}

	async close(): Promise<void> {
		const workers = [...this.#owned, ...[...this.#spares].flatMap(({ worker }) => worker ?? [])];
		const stopped = workers.map((worker) => worker.stop());
		this.#closing.abort();
		for (const timer of this.#timers) clearTimeout(timer);
		await Promise.allSettled([...stopped, ...this.#launches, ...this.#retiring]);
	}

	get #closed(): boolean {
		return this.#closing.signal.aborted;
	}

	/** Calls back unless the pool is closed before; keeps nothing alive. */
	#later(milliseconds: number, run: () => void): void {
		if (this.#closed) return;
		const timer = setTimeout(() => {
			this.#timers.delete(timer);
			run();
		}, milliseconds);
		timer.unref();
		this.#timers.add(timer);
	}

	#hasRoom(): boolean {
		return this.#spares.size > 0 || this.size < this.#most;
	}

	async #makeRoom(): Promise<void> {
		const idle = [...this.#owned].find((worker) => worker.sessions === 0);
		if (!idle) throw new PoolFullError(`all ${this.#most} workers serve others; try again later`);
		await this.#retire(idle);
	}

	async #retire(worker: Worker): Promise<void> {
		this.#owned.delete(worker);
		const stopped = worker.stop();
		this.#retiring.add(stopped);
		await stopped;
		this.#retiring.delete(stopped);
		this.#refill();
	}

	/** A spare that lives, or a new one. */
	async #next(): Promise<Worker> {
		this.#coming++;
		try {
			for (const spare of this.#spares) {
				this.#spares.delete(spare);
				const worker = await spare.started.catch(() => null);
				if (worker?.alive && worker.answers) return this.#own(worker);
			}
			return this.#own(await this.#launch());
		} finally {
			this.#coming--;
			this.#refill();
		}
	}

	#own(worker: Worker): Worker {
		this.#owned.add(worker);
		return worker;
	}

	/** Keeps the wanted spares starting, and one worker in any case. */
	#refill(): void {
		if (this.#closed) return;
		const { spares } = this.#options;
		while (this.#spares.size < Math.max(spares, this.size === 0 ? 1 : 0) && this.size < this.#most) {
			const spare: Spare = { started: this.#launch(), worker: null };
			this.#spares.add(spare);
			spare.started.then(
				(worker) => {
					spare.worker = worker;
					this.#failures = 0;
				},
				() => {
					this.#spares.delete(spare);
					this.#refillLater();
				},
			);
		}
	}

	#refillLater(): void {
		this.#later(RETRY_MS * 2 ** Math.min(this.#failures++, 6), () => this.#refill());
	}

	/** Starts a worker, for which close() waits. */
	#launch(): Promise<Worker> {
		const launch = this.#start();
		this.#launches.add(launch);
		const forget = () => this.#launches.delete(launch);
		launch.then(forget, forget);
		return launch;
	}

	/** Starts a worker; a managed environment that turns out broken is made anew, once. */
	async #start(): Promise<Worker> {
		if (this.#options.python) return this.#startWorker(this.#options.python);
		const { unref, log } = this.#options;
		const onProgress = (message: string) => log({ level: 'info', source: 'bridge', message });
		const making = { unref, signal: this.#closing.signal, onProgress };
		const python = await ensurePython(making);
		try {
			return await this.#startWorker(python);
		} catch (error) {
			if (this.#closed || !(error instanceof WorkerStartError) || !(await discardBroken(python))) throw error;
			return this.#startWorker(await ensurePython(making));
		}
	}

	async #startWorker(python: string): Promise<Worker> {
		const { unref, log } = this.#options;
		const worker = await Worker.start({ python, unref, signal: this.#closing.signal, log });
		worker.onexit = () => this.#gone(worker);
		return worker;
	}

	/** Replaces a worker that ended by itself; a retired one is not known here any more. */
	#gone(worker: Worker): void {
		const spare = [...this.#spares].find((each) => each.worker === worker);
		if (spare) this.#spares.delete(spare);
		else if (!this.#owned.delete(worker)) return;
		if (!this.#closed) this.#options.log({ level: 'error', source: 'bridge', message: `worker ${worker.pid} died` });
		this.#refillLater();
	}
}

function take(worker: Worker): Worker {
	worker.sessions++;
	return worker;
}
