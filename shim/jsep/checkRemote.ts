/** What setRemoteDescription() takes. */

import { matches, repairs } from './codecs.ts';
import type { Codec, Description, SdpType, Section } from './description.ts';
import type { Problem } from './errors.ts';
import { midMaker } from './layout.ts';
import { negotiatedOwners } from './negotiatedOwners.ts';
import type { TransportOwners } from './records.ts';
import { groupOf, isMedia, sectionByMid } from './section.ts';

export interface RemoteCheck {
	type: SdpType;
	/** Local description in force: for an answer it is the offer, for an offer the current one. */
	local: Description | null;
	/** Remote description before this one; null at first. */
	remote: Description | null;
	/** Of the local offer that an answer answers; empty for an offer. */
	owners: TransportOwners;
}

/** A description that breaks a rule; the message says which and where. */
class Invalid extends Error {
	readonly problem: Problem['name'];

	constructor(message: string, problem: Problem['name'] = 'InvalidAccessError') {
		super(message);
		this.problem = problem;
	}
}

/**
 * What is wrong with a description for setRemoteDescription(); else the description made whole: mids where it has
 * none, and in each bundled section the transport's lines that its tag alone says.
 * @see https://www.rfc-editor.org/rfc/rfc9429#section-5.8.3
 */
export function checkRemote(
	description: Description,
	against: RemoteCheck,
): { problem: Problem } | { problem: null; description: Description } {
	try {
		const whole = completeTransports(completeMids(description, against));
		requirePlaces(whole, against);
		requireGroups(whole, against);
		whole.sections.forEach((section, index) => {
			if (!section.rejected) requireSection(section, index, whole, against.type);
		});
		requireOneMeaning(whole);
		requireSameExtensions(whole, against);
		requireOwnTracks(whole);
		return { problem: null, description: whole };
	} catch (error) {
		if (!(error instanceof Invalid)) throw error;
		return { problem: { name: error.problem, message: error.message } };
	}
}

/** An answer without mids means the offer's; in an offer each section needs one for our side to name it by. */
function completeMids(description: Description, { type, local, remote }: RemoteCheck): Description {
	if (description.sections.every(({ mid }) => mid !== '')) return description;
	const make = midMaker(local, remote, description.sections);
	const sections = description.sections.map((section, index) => {
		if (section.mid !== '') return section;
		const offered = type === 'offer' ? undefined : local?.sections[index]?.mid;
		return { ...section, mid: offered ?? remote?.sections[index]?.mid ?? make() };
	});
	return { ...description, sections };
}

function completeTransports(description: Description): Description {
	const sections = description.sections.map((section) => {
		const tag = groupOf(description, section.mid)?.[0];
		const owner = tag === undefined ? undefined : sectionByMid(description, tag);
		if (section.rejected || !owner || owner === section) return section;
		const { iceUfrag, icePwd, setup } = owner;
		return {
			...section,
			...(section.iceUfrag === undefined && iceUfrag !== undefined ? { iceUfrag } : {}),
			...(section.icePwd === undefined && icePwd !== undefined ? { icePwd } : {}),
			...(section.setup === undefined && setup !== undefined ? { setup } : {}),
			rtcpMux: section.rtcpMux || (isMedia(section) && owner.rtcpMux),
			fingerprints: section.fingerprints.length > 0 ? section.fingerprints : owner.fingerprints,
		};
	});
	return { ...description, sections };
}

/** Sections stand where they stood. */
function requirePlaces({ sections }: Description, against: RemoteCheck): void {
	const mids = new Set(sections.map(({ mid }) => mid));
	if (mids.size < sections.length) throw new Invalid('two sections have one mid');
	if (against.type === 'offer') requireOfferPlaces(sections, against);
	else requireAnswerPlaces(sections, against.local?.sections ?? []);
}

function requireOfferPlaces(sections: readonly Section[], { local, remote }: RemoteCheck): void {
	const known = local?.sections ?? [];
	if (sections.length < known.length) throw new Invalid(`${sections.length} sections; there were ${known.length}`);
	for (const [index, before] of known.entries()) {
		const section = sections[index]!;
		// What either side had closed may be anything now.
		if (before.rejected || remote?.sections[index]?.rejected) continue;
		if (section.mid !== before.mid) throw new Invalid(`section ${index} has mid ${section.mid}; it was ${before.mid}`);
		if (section.kind !== before.kind) throw new Invalid(`section ${index} is ${section.kind}; it was ${before.kind}`);
	}
}

function requireAnswerPlaces(sections: readonly Section[], offered: readonly Section[]): void {
	if (sections.length !== offered.length)
		throw new Invalid(`${sections.length} sections; the offer has ${offered.length}`);
	for (const [index, offer] of offered.entries()) {
		const { kind, mid, rejected, protocol } = sections[index]!;
		if (mid !== offer.mid) throw new Invalid(`section ${index} has mid ${mid}; the offer says ${offer.mid}`);
		if (kind !== offer.kind) throw new Invalid(`section ${index} is ${kind}; the offer says ${offer.kind}`);
		if (offer.rejected && !rejected) throw new Invalid(`section ${index} accepts what the offer rejects`);
		if (!rejected && isRtp(protocol) !== isRtp(offer.protocol))
			throw new Invalid(`section ${index} is over ${protocol}; the offer says ${offer.protocol}`);
	}
}

const isRtp = (protocol: string): boolean => protocol.includes('RTP/');

/** @see https://www.rfc-editor.org/rfc/rfc9143#section-7 */
function requireGroups(description: Description, { type, local, owners }: RemoteCheck): void {
	const seen = new Set<string>();
	for (const group of description.bundle) {
		for (const mid of group) {
			if (!sectionByMid(description, mid)) throw new Invalid(`BUNDLE names mid ${mid}, which no section has`);
			if (seen.has(mid)) throw new Invalid(`BUNDLE names mid ${mid} twice`);
			seen.add(mid);
		}
		if (type === 'offer' || group.length === 0) continue;
		const offered = groupOf(local, group[0]!);
		const stranger = group.find((mid) => !offered?.includes(mid));
		if (stranger !== undefined) throw new Invalid(`BUNDLE has mid ${stranger}, which the offer does not bundle so`);
	}
	if (type !== 'offer' && local) requireTransports(owners, negotiatedOwners(local, description));
}

/** What was offered over one transport is accepted within one group, or not at all. */
function requireTransports(offered: TransportOwners, answered: TransportOwners): void {
	const leaders = new Map<string, string>();
	for (const [mid, owner] of offered) {
		if (!answered.has(mid)) continue;
		const leader = leaders.get(owner) ?? mid;
		leaders.set(owner, leader);
		if (answered.get(mid) !== answered.get(leader))
			throw new Invalid(`BUNDLE lacks mid ${mid}, which has no transport of its own`);
	}
}

function requireSection(section: Section, index: number, description: Description, type: SdpType): void {
	const { iceUfrag = '', icePwd = '', fingerprints, setup } = section;
	const fail = (what: string): never => {
		throw new Invalid(`section ${index} (mid ${section.mid}): ${what}`);
	};
	if (section.bundleOnly && type === 'offer' && !groupOf(description, section.mid))
		fail('bundle-only, but in no group');
	if (iceUfrag.length < 4 || iceUfrag.length > 256) fail('a=ice-ufrag of 4 to 256 characters is missing');
	if (icePwd.length < 22 || icePwd.length > 256) fail('a=ice-pwd of 22 to 256 characters is missing');
	if (fingerprints.length === 0) fail('a=fingerprint is missing');
	if (setup === 'holdconn') fail('a=setup:holdconn is not supported');
	if (setup === 'actpass' && type !== 'offer') fail('an answer chooses active or passive');
	if (!isMedia(section)) return;
	if (isRtp(section.protocol) && !section.rtcpMux) fail('a=rtcp-mux is missing');
}

/**
 * Within a group a payload type is one codec, and an id one header extension, since nothing else may tell packets
 * apart (RFC 9143, section 9.1; RFC 8285, section 5).
 */
function requireOneMeaning(description: Description): void {
	for (const group of description.bundle) {
		const codecs = new Map<number, Codec>();
		const extensions = new Map<number, string>();
		for (const section of description.sections) {
			if (section.rejected || !group.includes(section.mid)) continue;
			for (const codec of section.codecs) {
				const other = codecs.get(codec.payloadType);
				if (other && (!matches(codec, other) || repairs(codec) !== repairs(other)))
					throw new Invalid(`payload type ${codec.payloadType} is both ${other.mimeType} and ${codec.mimeType}`);
				codecs.set(codec.payloadType, codec);
			}
			for (const { id, uri } of section.headerExtensions) {
				const other = extensions.get(id) ?? uri;
				if (other !== uri) throw new Invalid(`header extension ${id} is both ${other} and ${uri}`);
				extensions.set(id, uri);
			}
		}
	}
}

/** An id keeps its header extension as long as the section is (RFC 8285, section 5). */
function requireSameExtensions({ sections }: Description, against: RemoteCheck): void {
	for (const section of sections) {
		if (section.rejected) continue;
		const known = extensionsInUse(section.mid, against);
		const moved = section.headerExtensions.find(({ id, uri }) => (known.get(id) ?? uri) !== uri);
		if (moved) throw new Invalid(`header extension ${moved.id} is ${moved.uri}; it was ${known.get(moved.id)}`);
	}
}

/** What the offer to answer says; before an offer, what both sides have agreed on, since an id that one did not take is free. */
function extensionsInUse(mid: string, { type, local, remote }: RemoteCheck): Map<number, string> {
	const ours = sectionByMid(local, mid)?.headerExtensions ?? [];
	const theirs = new Map(sectionByMid(remote, mid)?.headerExtensions.map(({ id, uri }) => [id, uri]));
	const fixed = type === 'offer' ? ours.filter(({ id, uri }) => theirs.get(id) === uri) : ours;
	return new Map(fixed.map(({ id, uri }) => [id, uri]));
}

/** A track of a stream is in one section (RFC 8830, section 2). */
function requireOwnTracks({ sections }: Description): void {
	const seen = new Set<string>();
	for (const { rejected, msids } of sections) {
		if (rejected) continue;
		const named = new Set(
			msids.filter(({ track }) => track !== undefined).map(({ stream, track }) => `${stream} ${track}`),
		);
		for (const msid of named) {
			if (seen.has(msid)) throw new Invalid(`two sections have a=msid:${msid}`, 'OperationError');
			seen.add(msid);
		}
	}
}
