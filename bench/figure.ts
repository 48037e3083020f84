import type { PeerKind } from './peer.ts';

/** What one round of a figure gave: numbers by the name of their column, units in the name. */
export type Sample = Record<string, number>;

/** The medians of each peer, by its name. */
export type Medians = Record<string, Sample>;

/** What a figure is meant to show, and whether it does. */
export interface Goal {
	text: string;
	reached: boolean;
}

/** One measurement, done by every peer in turn in each round. */
export interface Figure {
	name: string;
	/** What is done, in a line for the table's foot. */
	what: string;
	/** Those that take part; unless given, this project, aiortc and the others. */
	peers?: readonly string[];
	/** Rounds at most, of a figure that takes minutes. */
	rounds?: number;
	/** What aiortc does on a quiet machine: where it does less than 0.7 of it, the run says nothing. */
	quiet?: { column: string; value: number };
	/** Why this machine cannot measure it, in a sentence; null when it can. */
	lacks?(): Promise<string | null>;
	measure(peer: PeerKind): Promise<Sample>;
	goals?(medians: Medians): Goal[];
}

/** The value below which `fraction` of the values lie. */
export function quantile(values: readonly number[], fraction: number): number {
	const sorted = values.toSorted((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))]!;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** What this project does of a column, as a multiple of what `other` does; NaN when one of them did not take part. */
export const ratio = (medians: Medians, column: string, other = 'aiortc', ours = 'aiortc-shim'): number =>
	(medians[ours]?.[column] ?? Number.NaN) / (medians[other]?.[column] ?? Number.NaN);
