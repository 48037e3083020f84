import { type Baseline, isCore, readBaselines } from './baselines.ts';
import type { EnvironmentName } from './expectations.ts';
import { type FileResult, passes } from './results.ts';

/** The groups of files that have figures of their own. */
export const GROUPS: readonly { readonly title: string; readonly has: (baseline: Baseline) => boolean }[] = [
	{ title: 'webrtc/, what needs no rendering', has: isCore },
	{
		title: 'webrtc/, what renders or browses',
		has: (baseline) => baseline.path.startsWith('webrtc/') && !isCore(baseline),
	},
	{ title: 'other folders', has: ({ path }) => !path.startsWith('webrtc/') },
];

/** How many subtests passed, a line a group; one that was not reported counts as failed, since Chromium enumerates it. */
export function summarize(name: EnvironmentName, results: readonly FileResult[]): string[] {
	const found = new Map(results.map((result) => [result.path, passes(result)]));
	const baselines = readBaselines().filter(({ path }) => found.has(path));
	const lines = GROUPS.flatMap(({ title, has }) => {
		const files = baselines.filter(has);
		const passed = files.reduce((sum, { path, subtests }) => sum + Math.min(found.get(path)!, subtests), 0);
		const total = files.reduce((sum, { subtests }) => sum + subtests, 0);
		return total > 0
			? [`${name}: ${passed} of ${total} (${percent(passed, total)}), ${title} (${files.length} files)`]
			: [];
	});
	const passed = results.reduce((sum, result) => sum + passes(result), 0);
	const total = results.reduce((sum, { subtests }) => sum + subtests.length, 0);
	return [...lines, `${name}: ${passed} passed, ${total - passed} failed, in ${results.length} files`];
}

export function percent(part: number, whole: number): string {
	return `${((100 * part) / whole).toFixed(1)} %`;
}
