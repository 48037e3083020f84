/** Which of an offer's sections share a transport, and what each says of it. */

import type { Fingerprint, Section, Setup } from './description.ts';
import type { IceCredentials, OfferInput, TransportRecord } from './records.ts';
import { groupOf, sectionByMid } from './section.ts';

/** The transport that an offer gives to a section. */
export interface Allotment extends IceCredentials {
	/** The section has no transport unless it is bundled. */
	bundleOnly: boolean;
	/** Said once for a transport, in the first of its sections. */
	candidates: string[];
	endOfCandidates: boolean;
}

interface Member {
	mid: string;
	kind: Section['kind'];
}

/**
 * The BUNDLE group of an offer: what was bundled stays in its order, so that the tag does not move; the rest follows.
 * @param live the sections that are not closed, by m-line index
 */
export function bundleGroup(live: readonly Member[], input: OfferInput): string[] {
	const mids = live.map(({ mid }) => mid);
	const before = (input.local?.bundle ?? []).flat().filter((mid) => mids.includes(mid) && input.transports.has(mid));
	return [...new Set([...before, ...mids])];
}

/**
 * Gives each section its transport: the one it has; else the shared one once a group was negotiated; else as the
 * bundle policy says.
 * @see https://www.rfc-editor.org/rfc/rfc9429#section-4.1.1
 */
export function allotTransports(
	live: readonly Member[],
	group: readonly string[],
	input: OfferInput,
): Map<string, Allotment> {
	const existing = existingTransports(input);
	const tag = group.find((mid) => input.transports.has(mid) && groupOf(input.remote, mid));
	const members = group.map((mid) => live.find((member) => member.mid === mid)!);
	const kinds = new Set(members.filter(({ mid }) => input.transports.has(mid)).map(({ kind }) => kind));
	const allotments = new Map<string, Allotment>();
	let first: Allotment | null = null;
	for (const { mid, kind } of members) {
		const allotment = allot(mid, kind);
		allotments.set(mid, allotment);
		first ??= allotment;
		kinds.add(kind);
	}
	return allotments;

	function allot(mid: string, kind: Section['kind']): Allotment {
		const own = existing(mid);
		const negotiated = sectionByMid(input.remote, mid) !== undefined;
		if (own) return { ...own, bundleOnly: !negotiated && (sectionByMid(input.local, mid)?.bundleOnly ?? false) };
		const shared = tag === undefined ? null : allotments.get(tag)!;
		if (shared) return share(shared, false);
		if (!first || input.bundlePolicy === 'max-compat') return fresh(input);
		if (input.bundlePolicy === 'max-bundle') return share(first, false);
		return kinds.has(kind) ? share(first, true) : fresh(input);
	}
}

/** The transports there are, restarted where ICE restarts, with their candidates the first time each is asked for. */
function existingTransports(input: OfferInput): (mid: string) => Omit<Allotment, 'bundleOnly'> | null {
	const seen = new Map<string, IceCredentials>();
	return (mid) => {
		const record = input.transports.get(mid);
		if (!record) return null;
		const key = `${record.usernameFragment} ${record.password}`;
		const known = seen.get(key);
		if (known) return { ...known, candidates: [], endOfCandidates: false };
		const transport = input.iceRestart ? fresh(input) : transportLines(record);
		const { usernameFragment, password } = transport;
		seen.set(key, { usernameFragment, password });
		return transport;
	};
}

const transportLines = (record: TransportRecord): Omit<Allotment, 'bundleOnly'> => ({
	usernameFragment: record.usernameFragment,
	password: record.password,
	candidates: [...record.candidates],
	endOfCandidates: record.endOfCandidates,
});

function fresh({ newCredentials }: Pick<OfferInput, 'newCredentials'>): Allotment {
	const { usernameFragment, password } = newCredentials();
	return { usernameFragment, password, candidates: [], endOfCandidates: false, bundleOnly: false };
}

const share = ({ usernameFragment, password }: Allotment, bundleOnly: boolean): Allotment => ({
	usernameFragment,
	password,
	candidates: [],
	endOfCandidates: false,
	bundleOnly,
});

/**
 * The lines of a section about its transport. They are repeated in every section that shares it, as browsers do and
 * peers without BUNDLE want; only the candidates are not.
 */
export function transportAttributes(
	{ usernameFragment, password, candidates, endOfCandidates }: Omit<Allotment, 'bundleOnly'>,
	fingerprints: readonly Fingerprint[],
	setup: Setup,
): Pick<Section, 'iceUfrag' | 'icePwd' | 'iceOptions' | 'fingerprints' | 'setup' | 'candidates' | 'endOfCandidates'> {
	// Of several fingerprints some readers keep the last: one, which all know, leaves no doubt.
	const sha256 = fingerprints.filter(({ algorithm }) => algorithm.toLowerCase() === 'sha-256');
	return {
		iceUfrag: usernameFragment,
		icePwd: password,
		iceOptions: ['trickle'],
		fingerprints: (sha256.length > 0 ? sha256 : fingerprints).map((fingerprint) => ({ ...fingerprint })),
		setup,
		candidates,
		endOfCandidates,
	};
}
