/** Whether a worker's event loop turns: asked once a second, since a process that hangs looks as alive as any. */

const TICK_MS = 1_000;
/** A tick that is later than this says that the machine, or this process, had no time: the worker is not to blame. */
const LATE_MS = 500;
/** Ticks without an answer after which a worker hangs. */
const SILENT_TICKS = 5;
/** The same, after which it gets no new session while others can have it. */
const DOUBTFUL_TICKS = 2;

/** A worker's answer. */
export interface HealthReport {
	readonly pong: number;
	/** Seconds that the question waited for the worker's event loop. */
	readonly lag: number;
	/** Resident bytes; null where the system does not tell. */
	readonly memory: number | null;
}

export class Health {
	/** The latest answer. */
	report: HealthReport | null = null;

	readonly #ask: (line: string) => void;
	readonly #onhang: () => void;
	#asked = 0;
	#silentTicks = 0;
	#lastTick: number;
	#timer: NodeJS.Timeout | undefined;

	/**
	 * @param ask writes a line to the worker
	 * @param onhang called once, when the worker has been silent for 5 s in which this process ran
	 */
	constructor(ask: (line: string) => void, onhang: () => void, now = performance.now()) {
		this.#ask = ask;
		this.#onhang = onhang;
		this.#lastTick = now;
	}

	/** Keeps nothing alive. */
	start(): void {
		this.#lastTick = performance.now();
		this.#timer = setInterval(() => this.tick(performance.now()), TICK_MS).unref();
	}

	stop(): void {
		clearInterval(this.#timer);
	}

	/** Whether the worker has answered lately. */
	get answers(): boolean {
		return this.#silentTicks < DOUBTFUL_TICKS;
	}

	/** Takes a line of the worker, or of whatever else prints in its process: that is no answer. */
	heard(line: string): void {
		const report = parse(line);
		if (report?.pong === this.#asked) this.report = report;
	}

	/** Looks for an answer, and asks again; `now` in milliseconds. */
	tick(now: number): void {
		const late = now - this.#lastTick - TICK_MS;
		this.#lastTick = now;
		if (this.#asked === (this.report?.pong ?? 0)) {
			this.#silentTicks = 0;
			this.#ask(`{"ping":${++this.#asked}}`);
		} else if (late < LATE_MS && ++this.#silentTicks === SILENT_TICKS) {
			this.stop();
			this.#onhang();
		}
	}
}

function parse(line: string): HealthReport | null {
	try {
		return JSON.parse(line) as HealthReport | null;
	} catch {
		return null;
	}
}
