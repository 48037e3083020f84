import type { Description, SdpType } from './description.ts';
import type { Problem } from './errors.ts';

export interface LocalCheck {
	type: SdpType;
	/** What createOffer or createAnswer last made, parsed; null when it made none. */
	created: Description | null;
	/** Local description before this one; null at first. */
	local: Description | null;
	/** Remote description in force: for an answer it is the offer. */
	remote: Description | null;
}

/**
 * What is wrong with a description for setLocalDescription; null when nothing is.
 * Codec parameters, bandwidths, directions and maximum message sizes may have been edited, as in browsers; sections,
 * mids, fingerprints and ICE credentials may not.
 */
export function checkLocal(description: Description, against: LocalCheck): Problem | null {
	throw new Error(description.sessionId + against.type);
}

export interface RemoteCheck {
	type: SdpType;
	/** Local description in force: for an answer it is the offer. */
	local: Description | null;
	/** Remote description before this one; null at first. */
	remote: Description | null;
}

/** What is wrong with a description for setRemoteDescription, or the description made whole (mids given). */
export function checkRemote(
	description: Description,
	against: RemoteCheck,
): { problem: Problem } | { problem: null; description: Description } {
	throw new Error(description.sessionId + against.type);
}
