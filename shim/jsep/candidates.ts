import type { Description } from './description.ts';

/** What a section's transport has gathered (local), or a peer has trickled (remote). */
export interface CandidateList {
	/** Each `candidate:…`. */
	candidates: readonly string[];
	endOfCandidates: boolean;
}

/** A copy with the candidates of each mid appended (those it has already are not repeated). */
export function addCandidates(description: Description, byMid: ReadonlyMap<string, CandidateList>): Description {
	throw new Error(description.sessionId + byMid.size);
}

/**
 * The sections that an RTCIceCandidateInit belongs to: by mid, else by index; both absent with an empty candidate means all.
 * Narrowed by usernameFragment when given. Empty when none fits (addIceCandidate rejects with OperationError).
 */
export function candidateSections(
	description: Description,
	candidate: { sdpMid?: string | null; sdpMLineIndex?: number | null; usernameFragment?: string | null },
): number[] {
	throw new Error(description.sessionId + candidate.sdpMid);
}
