/** Sections by themselves: an empty one, a closed one, and what is asked of them everywhere. */

import type { Description, Kind, Section } from './description.ts';

export const RTP_PROTOCOL = 'UDP/TLS/RTP/SAVPF';
export const SCTP_PROTOCOL = 'UDP/DTLS/SCTP';
/** The discard port: trickle ICE says the real ones. */
export const DISCARD_PORT = 9;
export const ANY_ADDRESS = '0.0.0.0';

export function emptySection(kind: Section['kind'], protocol: string): Section {
	return {
		kind,
		mid: '',
		rejected: false,
		bundleOnly: false,
		port: DISCARD_PORT,
		protocol,
		formats: [],
		address: ANY_ADDRESS,
		bandwidth: [],
		direction: 'sendrecv',
		iceLite: false,
		iceOptions: [],
		fingerprints: [],
		candidates: [],
		endOfCandidates: false,
		codecs: [],
		headerExtensions: [],
		extmapAllowMixed: false,
		rtcpMux: false,
		rtcpRsize: false,
		msids: [],
		ssrcs: [],
		ssrcGroups: [],
		rids: [],
		attributes: [],
	};
}

/**
 * The section closed: port 0, no transport, no codecs. Its formats stay, as an m= line must have some.
 * @see https://www.rfc-editor.org/rfc/rfc9429#section-5.3.1
 */
export function closedSection(section: Section, mid = section.mid): Section {
	return {
		...emptySection(section.kind, section.protocol),
		mid,
		rejected: true,
		port: 0,
		formats: section.formats.length > 0 ? [...section.formats] : ['0'],
		direction: 'inactive',
		// Kept, so that the session can go on saying it for all.
		extmapAllowMixed: section.extmapAllowMixed,
	};
}

export const isMedia = (section: Section): section is Section & { kind: Kind } =>
	section.kind === 'audio' || section.kind === 'video';

export const isData = (section: Section): boolean => section.kind === 'application';

export const sectionByMid = (description: Description | null, mid: string): Section | undefined =>
	description?.sections.find((section) => section.mid === mid);

/** The BUNDLE group that a mid is in. */
export const groupOf = (description: Description | null, mid: string): string[] | undefined =>
	description?.bundle.find((group) => group.includes(mid));
