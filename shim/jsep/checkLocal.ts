/** What setLocalDescription() takes: what was created, with the edits that browsers allow. */

import { carriesMedia } from './capabilities.ts';
import { findMatch } from './codecs.ts';
import type { Description, SdpType, Section } from './description.ts';
import type { Problem } from './errors.ts';
import type { Built, TransportOwners } from './records.ts';
import { groupOf, isMedia } from './section.ts';

export interface LocalCheck {
	type: SdpType;
	/** What createOffer or createAnswer last made; null when it made none. */
	created: Pick<Built, 'description' | 'owners'> | null;
}

/**
 * What is wrong with a description for setLocalDescription(); null when nothing is.
 * The specification wants it unchanged. Like browsers we let applications leave out or reorder codecs, edit their
 * formats and bandwidths, directions, DTLS roles and the largest message, and drop header extensions; all else is
 * what the transports and senders already have.
 * @see https://www.w3.org/TR/webrtc/#set-description
 */
export function checkLocal(description: Description, { type, created }: LocalCheck): Problem | null {
	if (!created) return refuse(`no ${type} was created that this could be`);
	const { sections } = created.description;
	if (description.sections.length !== sections.length)
		return refuse(`${description.sections.length} sections; the ${type} created has ${sections.length}`);
	for (const [index, section] of description.sections.entries()) {
		const edit = forbiddenEdit(section, sections[index]!);
		if (edit) return refuse(`section ${index}: ${edit} differs from the ${type} created`);
		if (type !== 'offer' && section.setup === 'actpass')
			return { name: 'InvalidAccessError', message: `section ${index}: an answer chooses active or passive` };
	}
	const moved = bundleEdit(description, created);
	return moved === null ? null : refuse(`mid ${moved}: its BUNDLE group differs from the ${type} created`);
}

const refuse = (message: string): Problem => ({ name: 'InvalidModificationError', message });

/** The name of what was edited and may not be. */
function forbiddenEdit(section: Section, created: Section): string | null {
	const same = (name: keyof Section) => JSON.stringify(section[name]) === JSON.stringify(created[name]);
	if (!same('kind') || !same('mid')) return 'its kind or mid';
	if (!same('rejected')) return 'whether it is rejected';
	if (created.rejected) return null;
	if (!same('protocol')) return 'its protocol';
	if (!same('iceUfrag') || !same('icePwd')) return 'its ICE credentials';
	if (!sameFingerprints(section, created)) return 'its fingerprint';
	if (section.setup === undefined || section.setup === 'holdconn') return 'a=setup';
	if (!same('sctpPort')) return 'its SCTP port';
	return isMedia(section) ? forbiddenMediaEdit(section, created) : null;
}

function forbiddenMediaEdit(section: Section, created: Section): string | null {
	if (!section.codecs.some(carriesMedia)) return 'having codecs';
	const stranger = section.codecs.find((codec) => !findMatch(codec, section.codecs, created.codecs));
	if (stranger) return `codec ${stranger.mimeType}`;
	const extensions = created.headerExtensions.map(({ uri }) => uri);
	if (!section.headerExtensions.every(({ uri }) => extensions.includes(uri))) return 'its header extensions';
	if (!section.ssrcs.every(({ ssrc }) => created.ssrcs.some((known) => known.ssrc === ssrc))) return 'its SSRCs';
	if (!section.rids.every(({ rid }) => created.rids.some((known) => known.rid === rid))) return 'its rids';
	return section.rtcpMux ? null : 'a=rtcp-mux';
}

const sameFingerprints = (a: Section, b: Section): boolean =>
	a.fingerprints.length === b.fingerprints.length &&
	a.fingerprints.every(
		({ algorithm, value }, i) =>
			algorithm === b.fingerprints[i]!.algorithm && value.toUpperCase() === b.fingerprints[i]!.value.toUpperCase(),
	);

/** A section may leave its group where it has a transport of its own; none may enter one. Gives the mid of one that does. */
function bundleEdit(description: Description, created: Pick<Built, 'description' | 'owners'>): string | null {
	const grouped = new Set<string>();
	for (const group of description.bundle) {
		const before = new Set(groupOf(created.description, group[0] ?? ''));
		const entered = group.find((mid) => !before.has(mid));
		if (entered !== undefined) return entered;
		for (const mid of group) grouped.add(mid);
	}
	const left = created.description.bundle.flat().filter((mid) => !grouped.has(mid));
	return left.find((mid) => sharesTransport(mid, created.owners)) ?? null;
}

function sharesTransport(mid: string, owners: TransportOwners): boolean {
	return [...owners.values()].filter((owner) => owner === owners.get(mid)).length > 1;
}
