import type { Scene, SceneOptions } from './Scene.ts';

/** Something that goes wrong or is done on purpose, and what it must not do to others. */
export interface Fault {
	readonly name: string;
	/** What the culprit is to see; that neighbours see nothing is expected of every fault. */
	readonly expected: string;
	/** `apart`: neighbours have other workers than the culprit, whose worker may die. `beside`: they share it. */
	readonly where: 'apart' | 'beside';
	/** A scene of its own, and how that differs. */
	readonly scene?: Partial<SceneOptions>;
	/** Milliseconds that a neighbour may wait for a message; the run's unless given. */
	readonly patience?: number;
	/**
	 * Does it, and waits until it is over.
	 *
	 * @throws {Error} something else was seen than what is expected
	 */
	inject(scene: Scene): Promise<Outcome>;
}

export interface Outcome {
	/** What was seen. */
	readonly seen: string;
	/** What the culprit's program heard. */
	readonly end: string;
}

/** @throws {Error} with `otherwise`, unless `condition` holds */
export function expect(condition: unknown, otherwise: string): asserts condition {
	if (!condition) throw new Error(otherwise);
}

export const pause = (milliseconds: number): Promise<void> =>
	new Promise((resolve) => {
		setTimeout(resolve, milliseconds);
	});

export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

/** Waits until `condition` holds; whether it did in time. */
export async function within(milliseconds: number, condition: () => boolean): Promise<boolean> {
	for (const end = performance.now() + milliseconds; performance.now() < end; ) {
		if (condition()) return true;
		await pause(20);
	}
	return condition();
}

/** What `promise` is rejected with in so many milliseconds, or null. */
export function failure(promise: Promise<unknown>, milliseconds: number): Promise<Error | null> {
	return new Promise((resolve) => {
		const late = new Error(`no answer in ${milliseconds / 1000} s`);
		const timer = setTimeout(() => resolve(late), milliseconds);
		promise
			.then(() => resolve(null), resolve)
			.finally(() => {
				clearTimeout(timer);
			});
	});
}
