/** Which sections share a transport once there is an answer. */

import type { Description } from './description.ts';
import type { TransportOwners } from './records.ts';

/**
 * Who shares what by the BUNDLE groups of an answer.
 * @param answer the answer of the pair, from either side
 * @see https://www.rfc-editor.org/rfc/rfc9143#section-7.3.3
 */
export function negotiatedOwners(local: Description, answer: Description): TransportOwners {
	const isLive = (_: unknown, index: number) => !local.sections[index]!.rejected && !answer.sections[index]?.rejected;
	const mids = local.sections.filter(isLive).map(({ mid }) => mid);
	const tagOf = tagsByGroup(answer, new Set(mids));
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
