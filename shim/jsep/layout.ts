/** Which m-line an offer gives to whom. */

import type { Description, Kind, Section } from './description.ts';
import type { OfferInput } from './records.ts';
import { isData } from './section.ts';

export type Slot =
	| { use: 'media'; mid: string; kind: Kind; transceiver: number }
	| { use: 'data'; mid: string; kind: 'application' }
	/** Rejected, for good or until something recycles it. `transceiver` is the stopping one that closes it. */
	| { use: 'closed'; mid: string; section: Section; transceiver: number | null };

type Layout = Pick<OfferInput, 'transceivers' | 'local' | 'remote' | 'sctp'>;

/**
 * The slots of an offer by m-line index. Sections keep their places; a new transceiver takes the first closed section,
 * of whatever kind, and gives it a new mid; data comes last.
 * @see https://www.rfc-editor.org/rfc/rfc9429#section-5.2.2
 */
export function layOut(input: Layout): Slot[] {
	const { transceivers, local, remote } = input;
	const slots = (local?.sections ?? []).map((section, index) => keptSlot(section, index, input));
	const mids = midMaker(local, remote, transceivers);
	const placed = new Set(slots.map((slot) => (slot.use === 'media' ? slot.transceiver : null)));
	const put = (index: number, slot: Slot) => {
		slots[index < 0 ? slots.length : index] = slot;
	};
	const dataIndex = input.sctp && !slots.some((slot) => slot.use === 'data') ? firstFree(slots, input, isData) : null;
	// Data takes its own old place before media could.
	if (dataIndex !== null && dataIndex >= 0) put(dataIndex, { use: 'data', mid: mids(), kind: 'application' });
	transceivers.forEach(({ kind, stopped, stopping }, transceiver) => {
		if (stopped || stopping || placed.has(transceiver)) return;
		put(firstFree(slots, input), { use: 'media', mid: mids(), kind, transceiver });
	});
	if (dataIndex === -1) put(-1, { use: 'data', mid: mids(), kind: 'application' });
	return slots;
}

function keptSlot(section: Section, index: number, input: Layout): Slot {
	const { mid } = section;
	const rejected = isRejected(section, index, input);
	const transceiver = input.transceivers.findIndex((record) => record.mid === mid);
	const record = input.transceivers[transceiver];
	if (record && !record.stopped && !record.stopping) return { use: 'media', mid, kind: record.kind, transceiver };
	if (isData(section) && !rejected && input.sctp) return { use: 'data', mid, kind: 'application' };
	return { use: 'closed', mid, section, transceiver: record ? transceiver : null };
}

/** By either side; a section of the remote description counts while it is the same one. */
function isRejected(section: Section, index: number, { remote }: Layout): boolean {
	const theirs = remote?.sections[index];
	return section.rejected || (theirs?.mid === section.mid && theirs.rejected);
}

function firstFree(slots: readonly Slot[], input: Layout, fits: (section: Section) => boolean = () => true): number {
	return slots.findIndex(
		(slot, index) => slot.use === 'closed' && isRejected(slot.section, index, input) && fits(slot.section),
	);
}

/** New mids: numbers above every one in use, so that a recycled section's mid does not come back. */
export function midMaker(
	local: Description | null,
	remote: Description | null,
	transceivers: readonly { mid: string | null }[] = [],
): () => string {
	const used = [...(local?.sections ?? []), ...(remote?.sections ?? []), ...transceivers];
	const numbers = used.map(({ mid }) => (mid !== null && /^\d{1,9}$/.test(mid) ? Number(mid) : -1));
	let next = Math.max(-1, ...numbers) + 1;
	return () => String(next++);
}
