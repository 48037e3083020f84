const INTERVAL = 50;

/**
 * Looks until there is something.
 *
 * @param look gives null while there is nothing
 * @param patience milliseconds
 */
export async function eventually<T>(look: () => Promise<T | null>, patience: number, what: string): Promise<T> {
	const end = performance.now() + patience;
	for (;;) {
		const found = await look();
		if (found !== null) return found;
		if (performance.now() > end) throw new Error(`waited ${patience / 1_000} s in vain for ${what}`);
		await new Promise((resolve) => setTimeout(resolve, INTERVAL));
	}
}
