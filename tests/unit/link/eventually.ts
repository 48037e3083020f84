/** Waits until `check` holds, for at most `ms`; throws with what it was about otherwise. */
export async function eventually(what: string, check: () => boolean, ms = 3000): Promise<void> {
	for (const end = Date.now() + ms; !check(); ) {
		if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 2));
	}
}

export function sleep(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
