/** Which transceiver stands for which section of a remote description. */

import type { Description, Section } from './description.ts';
import { receives } from './direction.ts';
import type { TransceiverRecord } from './records.ts';
import { isMedia } from './section.ts';

export interface Association {
	mlineIndex: number;
	mid: string;
	/**
	 * Its index; 'new' asks for a new one, recvonly, of the section's kind; null is data, a kind that we do not know, or
	 * a section that is rejected and never had one.
	 */
	transceiver: number | 'new' | null;
}

/**
 * Finds the transceiver for each section of a remote description: the one with its mid, else the first that addTrack()
 * made, is of the kind, and has no section, else a new one. Answers find all theirs by mid.
 * @param fromAddTrack for each transceiver, whether addTrack() made it or gave it its track
 * @see https://www.rfc-editor.org/rfc/rfc9429#section-5.10
 */
export function associateRemote(
	remote: Description,
	transceivers: readonly TransceiverRecord[],
	fromAddTrack: readonly boolean[],
): Association[] {
	const taken = new Set<number>();
	return remote.sections.map((section, mlineIndex) => {
		const transceiver = find(section);
		if (typeof transceiver === 'number') taken.add(transceiver);
		return { mlineIndex, mid: section.mid, transceiver };
	});

	function find(section: Section): Association['transceiver'] {
		const known = transceivers.findIndex((record) => record.mid === section.mid);
		if (known >= 0) return known;
		if (!isMedia(section) || section.rejected) return null;
		const free = receives(section.direction) ? transceivers.findIndex((record, i) => isFree(record, i, section)) : -1;
		return free < 0 ? 'new' : free;
	}

	function isFree(record: TransceiverRecord, index: number, section: Section): boolean {
		if (record.mid !== null || record.stopped || record.stopping || taken.has(index)) return false;
		return record.kind === section.kind && fromAddTrack[index] === true;
	}
}
