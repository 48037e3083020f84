import type { PeerKind } from './peer.ts';

/** What one round of a figure gave: numbers by the name of their column, units in the name. */
export type Sample = Record<string, number>;

/** One measurement, done by every peer in turn in each round. */
export interface Figure {
	name: string;
	/** What is done, in a line for the table's foot. */
	what: string;
	measure(peer: PeerKind): Promise<Sample>;
}

/** The value below which `fraction` of the values lie. */
export function quantile(values: readonly number[], fraction: number): number {
	const sorted = values.toSorted((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))]!;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
