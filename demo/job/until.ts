const INTERVAL = 20;

/**
 * Looks until there is something.
 *
 * @param look gives undefined while there is nothing
 * @param patience milliseconds
 * @throws an Error that says for what, when the time is over
 */
export async function until<T>(look: () => T | undefined, patience: number, what: string): Promise<T> {
	const end = performance.now() + patience;
	for (;;) {
		const found = look();
		if (found !== undefined) return found;
		if (performance.now() > end) throw new Error(`waited ${patience / 1_000} s in vain for ${what}`);
		await new Promise((resolve) => setTimeout(resolve, INTERVAL));
	}
}
