import type { Fault } from './fault.ts';
import type { Window } from './Neighbours.ts';

export interface Row {
	readonly fault: string;
	readonly expected: string;
	readonly seen: string;
	readonly end: string;
	readonly before: Window;
	readonly during: Window;
	/** Why it is a miss; empty when it is none. */
	readonly misses: readonly string[];
}

const milliseconds = ({ p50, p99, longest, messages }: Window): string =>
	messages === 0 ? 'none' : `${p50.toFixed(1)} / ${p99.toFixed(0)} / ${longest.toFixed(0)} ms`;

/** A row as it is printed while the next is measured, in a few lines: its sentences are too long for columns. */
export function format({ fault, expected, seen, end, before, during, misses }: Row): string {
	const lines = [
		`${misses.length === 0 ? 'pass' : 'MISS'}  ${fault}: ${expected}`,
		`      seen: ${seen || 'nothing'}`,
		`      culprit: ${end || 'goes on'}`,
	];
	if (before.messages + during.messages > 0) {
		lines.push(
			`      neighbours (p50 / p99 / longest): ${milliseconds(before)} before, ${milliseconds(during)} during`,
		);
		lines.push(`      of ${during.messages + during.lost} messages ${during.lost} lost`);
	}
	return [...lines, ...misses.map((miss) => `      MISS: ${miss}`)].join('\n');
}

/** A line a row, for `console.table`. */
export function summary(rows: readonly Row[]): Record<string, Record<string, string | number>> {
	return Object.fromEntries(
		rows.map(({ fault, before, during, misses }) => [
			fault,
			{
				is: misses.length === 0 ? 'pass' : 'MISS',
				'p50 / p99 / longest before': milliseconds(before),
				during: milliseconds(during),
				lost: during.lost,
			},
		]),
	);
}

/** The row of a fault for which no scene could be made. */
export function unmeasured({ name, expected }: Fault, { message }: Error): Row {
	const nothing: Window = { p50: 0, p99: 0, longest: 0, messages: 0, lost: 0, problems: [] };
	return { fault: name, expected, seen: '', end: '', before: nothing, during: nothing, misses: [message] };
}
