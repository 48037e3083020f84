/** Calls back after `ms`; unlike setTimeout alone, keeps no process alive. Returns what stops it. */
export function timer(ms: number, run: () => void): () => void {
	const handle: unknown = setTimeout(run, ms);
	// Node, Deno and Bun give an object, or a number where there is no unref.
	if (typeof handle === 'object' && handle !== null && 'unref' in handle) (handle as { unref(): void }).unref();
	return () => clearTimeout(handle as Parameters<typeof clearTimeout>[0]);
}
