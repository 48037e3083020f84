import type { Description } from './description.ts';
import type { TransceiverRecord } from './records.ts';

/** For each section of a remote description: the transceiver that stands for it, or what to do. */
export type Association =
	| { mlineIndex: number; mid: string; transceiver: number }
	/** Make a transceiver (recvonly) of the section's kind. */
	| { mlineIndex: number; mid: string; transceiver: 'new' }
	/** Data, a kind we do not know, or a rejected section that never had one. */
	| { mlineIndex: number; mid: string; transceiver: null };

/**
 * Finds the transceiver for each section of a remote description: the one with its mid, else (offers) the first that
 * addTrack() made, is of the kind, not stopped and has no mid, else a new one.
 * `fromAddTrack[i]` says whether transceiver i was made by addTrack().
 * @see https://www.rfc-editor.org/rfc/rfc9429#section-5.10
 */
export function associateRemote(
	remote: Description,
	transceivers: readonly TransceiverRecord[],
	fromAddTrack: readonly boolean[],
): Association[] {
	throw new Error(remote.sessionId + transceivers.length + fromAddTrack.length);
}
