import { LinkError, RefusedError } from './options.ts';

/** What may pass by itself: the bridge is not there, or it is there and has no place for another session. */
type Obstacle = 'absent' | 'full';

/** Milliseconds between two attempts: the first pause is doubled until it is the longest. A full bridge is busy enough. */
const PAUSES = {
	absent: { first: 50, longest: 2_000 },
	full: { first: 500, longest: 8_000 },
} as const;

export interface Retry {
	/** Milliseconds until the next attempt, a whole number unless it is the last. */
	readonly pause: number;
	/** Seconds for which an obstacle of a kind that was not met before will be tried; null for one that was. */
	readonly announced: number | null;
}

/** Which failures of a session to begin, or to be taken up, are worth another attempt, when, and for how long. */
export class Retries {
	readonly #isResuming: boolean;
	readonly #seconds: Readonly<Record<Obstacle, number>>;
	readonly #met = new Set<Obstacle>();
	#obstacle: Obstacle | null = null;
	#pause = 0;
	/** Since when each may have been in the way, in milliseconds. */
	readonly #since: Partial<Record<Obstacle, number>>;

	/**
	 * @param isResuming a session that exists is worth every attempt: a proxy that has lost its bridge for a moment answers
	 * with statuses that would be final otherwise
	 * @param seconds for which each obstacle is tried, read at each failure
	 * @param now milliseconds, as of next()
	 */
	constructor(isResuming: boolean, seconds: Readonly<Record<Obstacle, number>>, now: number) {
		this.#isResuming = isResuming;
		this.#seconds = seconds;
		this.#since = { absent: now };
	}

	/** Milliseconds for which a bridge that says nothing is still worth waiting for. */
	patience(now: number): number {
		return this.#deadline('absent') - now;
	}

	/**
	 * What to do after `error`; null to give up.
	 *
	 * @param random in [0, 1): many shims whose bridge came back do not all knock at once
	 */
	next(error: Error, now: number, random: number): Retry | null {
		const obstacle = this.#obstacleOf(error);
		if (obstacle === null) return null;
		// A full bridge is there. How long it is full counts from the first time that it said so.
		if (obstacle === 'full') this.#since.absent = now;
		this.#since[obstacle] ??= now;
		const remaining = this.#deadline(obstacle) - now;
		if (remaining <= 0) return null;
		const { first, longest } = PAUSES[obstacle];
		this.#pause = obstacle === this.#obstacle ? Math.min(this.#pause * 2, longest) : first;
		this.#obstacle = obstacle;
		const announced = this.#met.has(obstacle) ? null : this.#seconds[obstacle];
		this.#met.add(obstacle);
		return { pause: Math.min(Math.ceil(this.#pause * (0.5 + random / 2)), remaining), announced };
	}

	#deadline(obstacle: Obstacle): number {
		return this.#since[obstacle]! + this.#seconds[obstacle] * 1_000;
	}

	/** null for a failure that another attempt would have again. */
	#obstacleOf(error: Error): Obstacle | null {
		if (error instanceof RefusedError) return this.#isResuming || error.isTemporary ? 'absent' : null;
		if (!(error instanceof LinkError)) return 'absent';
		if (error.isFull && !this.#isResuming) return 'full';
		return error.code < 4000 ? 'absent' : null;
	}
}
