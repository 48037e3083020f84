/** Random bytes that are the same in each run (xorshift32). */
export function randomBytes(seed: number): (length: number) => Buffer {
	let state = seed || 1;
	const next = (): number => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return state & 255;
	};
	return (length) => Buffer.from(Array.from({ length }, next));
}
