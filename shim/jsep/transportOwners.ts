/** Which sections share a transport. */

import type { Description } from './description.ts';

/**
 * By mid, the mid of the section whose transport it uses (itself, when it owns one); rejected sections are absent.
 * With `answer` (the answer of the pair, from either side) its BUNDLE groups decide; without, a local offer's sections
 * share where they have equal ICE credentials.
 */
export function transportOwners(local: Description, answer: Description | null): Map<string, string> {
	const isLive = (_: unknown, index: number) => !local.sections[index]!.rejected && !answer?.sections[index]?.rejected;
	const mids = local.sections.filter(isLive).map(({ mid }) => mid);
	const tagOf = answer ? tagsByGroup(answer, new Set(mids)) : tagsByCredentials(local);
	return new Map(mids.map((mid) => [mid, tagOf.get(mid) ?? mid]));
}

/** The tag is the first of the group that is not rejected. */
function tagsByGroup({ bundle }: Description, live: ReadonlySet<string>): Map<string, string> {
	const tags = new Map<string, string>();
	for (const group of bundle) {
		const tag = group.find((mid) => live.has(mid));
		if (tag !== undefined) for (const mid of group) tags.set(mid, tag);
	}
	return tags;
}

/** The tag is the first of the group's order: in a later offer that may be another than the first section. */
function tagsByCredentials({ bundle, sections }: Description): Map<string, string> {
	const byMid = new Map(sections.map((section) => [section.mid, section]));
	const first = new Map<string, string>();
	const tags = new Map<string, string>();
	for (const mid of new Set([...bundle.flat(), ...byMid.keys()])) {
		const section = byMid.get(mid);
		if (!section || section.rejected) continue;
		const credentials = `${section.iceUfrag} ${section.icePwd}`;
		tags.set(mid, first.get(credentials) ?? mid);
		if (!first.has(credentials)) first.set(credentials, mid);
	}
	return tags;
}
