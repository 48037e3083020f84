import { macrotask } from './macrotask.ts';

/**
 * Calls back after `ms`; unlike setTimeout alone, keeps no process alive. Returns what stops it.
 *
 * The callback has a task of its own, behind the timer's. A hidden page of Chromium runs timers that timers started, five
 * deep, once a minute; those that the task of a message starts keep to the second.
 */
export function timer(ms: number, run: () => void): () => void {
	let isStopped = false;
	const handle: unknown = setTimeout(() => macrotask(() => isStopped || run()), ms);
	// Node, Deno and Bun give an object, or a number where there is no unref.
	if (typeof handle === 'object' && handle !== null && 'unref' in handle) (handle as { unref(): void }).unref();
	return () => {
		isStopped = true;
		clearTimeout(handle as Parameters<typeof clearTimeout>[0]);
	};
}
