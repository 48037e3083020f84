/** The figures of docs/conformance.md, from what is recorded of the shim and of others. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Baseline, readBaselines } from './baselines.ts';
import { type EnvironmentName, type Expectations, recordedPasses } from './expectations.ts';
import { GROUPS, percent } from './summary.ts';

const PAGE = join(import.meta.dirname, '..', '..', '..', 'docs', 'conformance.md');
const FIGURES = /(<!-- figures -->\n).*(<!-- end of figures -->\n)/s;
const REASONS = /(<!-- reasons -->\n).*(<!-- end of reasons -->\n)/s;
const PEERS = ['chromium', 'roamhq-wrtc', 'werift', 'node-datachannel'];

/** Puts the figures into the page that the documents have. */
export function writeFigures(expectations: Expectations): void {
	writeFileSync(PAGE, withFigures(readFileSync(PAGE, 'utf8'), expectations));
}

/** The page with the figures of these expectations. */
export function withFigures(page: string, expectations: Expectations): string {
	return page
		.replace(FIGURES, (_, start, end) => `${start}${figures(expectations)}${end}`)
		.replace(REASONS, (_, start, end) => `${start}${reasons(expectations)}${end}`);
}

function figures(expectations: Expectations): string {
	const head = row(['', 'files', 'subtests', 'shim in Node', 'shim in Chromium', 'Chromium', ...PEERS.slice(1)]);
	const rows = GROUPS.map(({ title, has }) => {
		const files = readBaselines().filter(has);
		const total = sum(files, ({ subtests }) => subtests);
		const cells = [
			...(['node', 'chromium'] as const).map((name) => sum(files, (each) => passesOf(expectations, name, each))),
			...PEERS.map((peer) => sum(files, ({ passes }) => passes[peer]!)),
		];
		return row([title, files.length, total, ...cells.map((passed) => percent(passed, total))]);
	});
	return [head, row(Array(9).fill('---')), ...rows, ''].join('\n');
}

/** Of the subtests that Chromium enumerates. */
function passesOf(expectations: Expectations, name: EnvironmentName, { path, subtests }: Baseline): number {
	const expected = expectations[name][path];
	return expected ? Math.min(recordedPasses(expected), subtests) : 0;
}

function reasons(expectations: Expectations): string {
	const head = row(['why', 'Node', 'Chromium']);
	const rows = Object.entries(expectations.reasons).map(([key, sentence]) =>
		row([sentence, ...(['node', 'chromium'] as const).map((name) => countOf(expectations, name, key))]),
	);
	return [head, row(['---', '---', '---']), ...rows, ''].join('\n');
}

function countOf(expectations: Expectations, name: EnvironmentName, key: string): number {
	return sum(Object.values(expectations[name]), ({ harness, failures, varies }) => {
		return [harness, ...Object.values({ ...failures, ...varies })].filter((reason) => reason === key).length;
	});
}

function sum<T>(values: readonly T[], count: (value: T) => number): number {
	return values.reduce((total, value) => total + count(value), 0);
}

function row(cells: readonly (string | number)[]): string {
	return `| ${cells.join(' | ')} |`;
}
