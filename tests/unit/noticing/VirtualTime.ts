/** A clock that the test turns: timers and `performance.now()` go by it, tasks and promises run as ever. */

/** Real turns of the event loop after each instant: a verdict waits for ten. */
const TURNS = 16;
/** Of Chromium's throttling: timers of a hidden page fire on whole seconds, those of a long chain on whole minutes. */
const SECOND = 1000;
const MINUTE = 60_000;
const CHAIN = 5;

interface Timer {
	readonly at: number;
	/** How many timers started one another before it. */
	readonly level: number;
	readonly run: () => void;
}

export class VirtualTime {
	/** Whether timers are throttled as those of a page that has been hidden for five minutes. */
	hidden = false;
	#now = 0;
	#level = 0;
	#timers = new Map<object, Timer>();
	readonly #real = { setTimeout, clearTimeout, now: performance.now };

	/** Takes the place of the process's time until `end()`. */
	constructor() {
		globalThis.setTimeout = ((run: () => void, ms = 0) => this.#add(run, ms)) as typeof setTimeout;
		globalThis.clearTimeout = ((handle: object) => void this.#timers.delete(handle)) as typeof clearTimeout;
		performance.now = () => this.#now;
	}

	get now(): number {
		return this.#now;
	}

	end(): void {
		globalThis.setTimeout = this.#real.setTimeout;
		globalThis.clearTimeout = this.#real.clearTimeout;
		performance.now = this.#real.now;
	}

	/** Lets so many milliseconds pass. */
	async pass(ms: number): Promise<void> {
		const end = this.#now + ms;
		await settle();
		for (let next = this.#next(end); next !== null; next = this.#next(end)) {
			this.#now = Math.max(this.#now, next);
			await this.#fire();
			await settle();
		}
		this.#now = end;
	}

	/** Passes while no timer fires and no task runs: the process is stopped, or the page is frozen. */
	sleep(ms: number): void {
		this.#now += ms;
	}

	#add(run: () => void, ms: number): object {
		const level = this.#level + 1;
		const grain = this.hidden ? (level > CHAIN ? MINUTE : SECOND) : 10;
		const at = Math.ceil((this.#now + Math.max(ms, 0)) / grain) * grain;
		const handle = { unref: () => handle };
		this.#timers.set(handle, { at, level, run });
		return handle;
	}

	#next(end: number): number | null {
		let least = Number.POSITIVE_INFINITY;
		for (const { at } of this.#timers.values()) least = Math.min(least, at);
		return least <= end ? least : null;
	}

	async #fire(): Promise<void> {
		for (const [handle, timer] of [...this.#timers]) {
			if (timer.at > this.#now || !this.#timers.delete(handle)) continue;
			this.#level = timer.level;
			timer.run();
			// What its promises go on with belongs to the timer's task; other tasks do not.
			for (let hop = 0; hop < 20; hop++) await null;
			this.#level = 0;
		}
	}
}

async function settle(): Promise<void> {
	for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
}
