import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A row of baselines.tsv: what others pass of a file, measured with this runner. */
export interface Baseline {
	readonly path: string;
	/** What the file needs: `dom-media` and `browsing` are what only a page has. */
	readonly class: string;
	/** Subtests that Chromium enumerates. */
	readonly subtests: number;
	readonly passes: Readonly<Record<string, number>>;
}

const NEEDS_PAGE = new Set(['dom-media', 'browsing']);

export function readBaselines(): Baseline[] {
	const text = readFileSync(join(import.meta.dirname, '..', 'baselines.tsv'), 'utf8');
	const [header, ...rows] = text.trim().split('\n');
	const names = header!.split('\t').slice(3);
	return rows.map((row) => {
		const [path, kind, subtests, ...passes] = row.split('\t');
		return {
			path: path!,
			class: kind!,
			subtests: Number(subtests),
			passes: Object.fromEntries(names.map((name, index) => [name, Number(passes[index])])),
		};
	});
}

/** Whether a file counts for the bar: one of `webrtc/` that needs neither rendering nor browsing. */
export function isCore(baseline: Baseline): boolean {
	return baseline.path.startsWith('webrtc/') && !NEEDS_PAGE.has(baseline.class);
}
