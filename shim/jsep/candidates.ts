/** Candidates, as they are found or arrive, in the description that they belong to. */

import type { Description, Section } from './description.ts';

/** What a section's transport has gathered (local), or a peer has trickled (remote). */
export interface CandidateList {
	/** Each `candidate:…`. */
	candidates: readonly string[];
	endOfCandidates: boolean;
}

/** A copy with the candidates of each mid appended (those it has already are not repeated). */
export function addCandidates(description: Description, byMid: ReadonlyMap<string, CandidateList>): Description {
	const sections = description.sections.map((section) => {
		const list = section.rejected ? undefined : byMid.get(section.mid);
		return list ? withCandidates(section, list) : section;
	});
	return { ...description, sections };
}

const withCandidates = (section: Section, list: CandidateList): Section => ({
	...section,
	candidates: [...new Set([...section.candidates, ...list.candidates])],
	endOfCandidates: section.endOfCandidates || list.endOfCandidates,
});

/** What addIceCandidate() says of where a candidate belongs. */
export interface CandidatePlace {
	sdpMid?: string | null;
	sdpMLineIndex?: number | null;
	usernameFragment?: string | null;
}

/**
 * The m-line indices that a candidate belongs to: by mid, else by index, else (end-of-candidates alone may say neither)
 * all; only those that have its usernameFragment, when it says one. Empty when none fits: addIceCandidate() rejects
 * with OperationError.
 * @see https://www.w3.org/TR/webrtc/#dom-peerconnection-addicecandidate
 */
export function candidateSections({ sections }: Description, place: CandidatePlace): number[] {
	const { sdpMid, sdpMLineIndex, usernameFragment } = place;
	const isPlace = (section: Section, index: number): boolean => {
		if (sdpMid !== null && sdpMid !== undefined) return section.mid === sdpMid;
		return sdpMLineIndex === null || sdpMLineIndex === undefined || sdpMLineIndex === index;
	};
	// No ufrag in the candidate, or an empty one, is the current one.
	const isGeneration = (section: Section) => !usernameFragment || section.iceUfrag === usernameFragment;
	return sections.flatMap((section, index) => (isPlace(section, index) && isGeneration(section) ? [index] : []));
}
