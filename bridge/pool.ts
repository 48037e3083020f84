/** The workers: started ahead, shared as the isolation allows, replaced when they die. */

import type { BridgeLog } from './log/BridgeLog.ts';
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
	/** Whoever may come: while there are workers for all of them, nobody has another's only one. */
	readonly owners: number;
	/** Idle workers kept ready; one worker is there in any case. */
	readonly spares: number;
	readonly unref: boolean;
	/** Takes what is said of a worker, and what it says on stderr. */
	readonly log: BridgeLog;
}

/** Every worker that may be had serves others. */
export class PoolFullError extends Error {
	override readonly name = 'PoolFullError';
}

/** A worker from the decision to start it until it is gone. */
interface Slot {
	/** Whose sessions it serves; null for a spare. */
	owner: string | null;
	/** Sessions placed on it, those that wait for its start included. */
	sessions: number;
	readonly started: Promise<Worker>;
	/** Once it has started. */
	worker: Worker | null;
}

/** A session's place on a worker. */
export interface Placement {
	readonly worker: Worker;
	/** Gives the place back; a worker that is not `reusable` ends with the session. */
	release(reusable: boolean): void;
	/** Gives back the place on a worker that turned out to be dead. */
	discard(): void;
}

export class Pool {
	readonly #options: PoolOptions;
	readonly #slots = new Set<Slot>();
	/** On their way out. */
	readonly #retiring = new Set<Promise<void>>();
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
		await Promise.any([...this.#slots].map((slot) => slot.started)).catch((error: AggregateError) => {
			throw error.errors[0];
		});
	}

	/** Workers that are there or being started. */
	get size(): number {
		return this.#slots.size;
	}

	/**
	 * A place for a session of `owner`: on an idle worker of its own, on a new one, or on its least loaded when there may
	 * be no more. A worker that is being started counts as one that is there, so sessions that come at once share it; when
	 * it fails to start, each of them looks for another place once.
	 *
	 * @throws {PoolFullError | SetupError | WorkerStartError}
	 */
	async place(owner: string): Promise<Placement> {
		return this.#take(this.#choose(owner)).catch((error: unknown) => {
			if (this.#closed) throw error;
			return this.#take(this.#choose(owner));
		});
	}

	async close(): Promise<void> {
		const stopped = [...this.#slots].map(({ worker }) => worker?.stop());
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

	/**
	 * The slot for another session of `owner`, whose from then on it is.
	 *
	 * @throws {PoolFullError}
	 */
	#choose(owner: string): Slot {
		const own = this.#best(owner);
		if (own?.sessions === 0 && !isDoubtful(own)) return own;
		if (own && !isDoubtful(own) && !this.#hasRoomToSpare()) return own;
		const spare = this.#best(null);
		if (spare && !isDoubtful(spare)) return Object.assign(spare, { owner });
		if (this.size < this.#most) return this.#add(owner, () => this.#launch());
		if (own) return own;
		if (spare) return Object.assign(spare, { owner });
		const idle = [...this.#slots].find(({ worker, sessions }) => worker && sessions === 0);
		if (!idle) throw new PoolFullError(`all ${this.#most} workers serve others; try again later`);
		const retired = this.#retire(idle);
		return this.#add(owner, () => retired.then(() => this.#launch()));
	}

	/** Whether there is room for one more, and one for each owner who has none. */
	#hasRoomToSpare(): boolean {
		const owned = [...this.#slots].flatMap(({ owner }) => owner ?? []);
		const awaited = Math.max(0, this.#options.owners - new Set(owned).size);
		return owned.length + awaited < this.#most;
	}

	/**
	 * That of `owner`'s slots with the fewest sessions. One whose worker answers comes before one whose does not; of equals,
	 * one that has started comes before one that has not.
	 */
	#best(owner: string | null): Slot | undefined {
		const own = [...this.#slots].filter((slot) => slot.owner === owner);
		return own.sort(
			(a, b) =>
				Number(isDoubtful(a)) - Number(isDoubtful(b)) ||
				a.sessions - b.sessions ||
				Number(!a.worker) - Number(!b.worker),
		)[0];
	}

	/** Takes a place, and waits for its worker. */
	async #take(slot: Slot): Promise<Placement> {
		slot.sessions++;
		// Another session may have taken the spare that was ready.
		this.#refill();
		const worker = await slot.started;
		return {
			worker,
			release: (reusable) => this.#release(slot, reusable),
			discard: () => {
				slot.sessions--;
				void this.#retire(slot);
			},
		};
	}

	#release(slot: Slot, reusable: boolean): void {
		slot.sessions--;
		if (slot.sessions > 0 || !slot.worker?.alive) return;
		if (!reusable) {
			void this.#retire(slot);
			return;
		}
		this.#later(IDLE_MS, () => {
			if (slot.sessions === 0 && this.size > 1) void this.#retire(slot);
		});
	}

	async #retire(slot: Slot): Promise<void> {
		this.#slots.delete(slot);
		const stopped = slot.worker!.stop();
		this.#retiring.add(stopped);
		await stopped;
		this.#retiring.delete(stopped);
		this.#refill();
	}

	#add(owner: string | null, launch: () => Promise<Worker>): Slot {
		const slot: Slot = { owner, sessions: 0, started: launch(), worker: null };
		this.#slots.add(slot);
		slot.started.then(
			(worker) => {
				slot.worker = worker;
				this.#failures = 0;
			},
			() => {
				this.#slots.delete(slot);
				this.#refillLater();
			},
		);
		return slot;
	}

	/** Keeps the wanted spares starting, and one worker in any case. */
	#refill(): void {
		if (this.#closed) return;
		const wanted = () => Math.max(this.#options.spares, this.size === 0 ? 1 : 0);
		const spares = () => [...this.#slots].filter(({ owner }) => owner === null).length;
		while (spares() < wanted() && this.size < this.#most) this.#add(null, () => this.#launch());
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
		const onProgress = (message: string) => log.say('setup', message);
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
		const slot = [...this.#slots].find((each) => each.worker === worker);
		if (!slot) return;
		this.#slots.delete(slot);
		this.#tellOfEnd(worker);
		this.#refillLater();
	}

	#tellOfEnd({ pid, hung }: Worker): void {
		if (this.#closed || hung) return;
		this.#options.log.say('worker-died', 'a worker died, and its sessions ended', { worker: pid });
	}
}

/** Whether it has not answered lately; one that is being started has not been asked. */
function isDoubtful({ worker }: Slot): boolean {
	return worker?.answers === false;
}
