/** Which of an offer's sections share a transport, and what each says of it. */

import type { Fingerprint, Section, Setup } from './description.ts';
import type { IceCredentials, OfferInput, TransportRecord } from './records.ts';
import { groupOf, sectionByMid } from './section.ts';

/** The transport that an offer gives to a section. */
export interface Allotment extends IceCredentials {
	/** The mid of the section whose transport it is: the section's own, unless it shares another's. */
	owner: string;
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
 * The BUNDLE groups of an offer. What was bundled stays in its order, so that the tag does not move; the rest follows.
 * Sections of a group say the same credentials, since many peers take one pair for a whole group. So transports that
 * have different ones, as when the peer has restarted ICE on one of several, are in different groups until all restart.
 * @param live the sections that are not closed, by m-line index
 */
export function bundleGroups(live: readonly Member[], input: OfferInput): string[][] {
	const { transports, local, iceRestart } = input;
	const mids = live.map(({ mid }) => mid);
	const before = (local?.bundle ?? []).flat().filter((mid) => mids.includes(mid) && transports.has(mid));
	const order = [...new Set([...before, ...mids])];
	const first = firstRecord(order, input);
	const groups = new Map<string | undefined, string[]>();
	for (const mid of order) {
		const fragment = iceRestart ? undefined : (transports.get(mid) ?? first)?.usernameFragment;
		groups.set(fragment, [...(groups.get(fragment) ?? []), mid]);
	}
	return [...groups.values()];
}

const firstRecord = (mids: readonly string[], { transports }: OfferInput): TransportRecord | undefined =>
	mids.map((mid) => transports.get(mid)).find((record) => record !== undefined);

/**
 * Gives each section its transport: the one it has; else the shared one once a group was negotiated; else as the
 * bundle policy says.
 * @see https://www.rfc-editor.org/rfc/rfc9429#section-4.1.1
 */
export function allotTransports(
	live: readonly Member[],
	groups: readonly (readonly string[])[],
	input: OfferInput,
): Map<string, Allotment> {
	const restarted = input.iceRestart ? input.newCredentials() : null;
	const allotments = new Map<string, Allotment>();
	for (const group of groups) {
		const members = group.map((mid) => live.find((member) => member.mid === mid)!);
		const credentials = restarted ?? firstRecord(group, input) ?? input.newCredentials();
		allotGroup(members, credentials, input, allotments);
	}
	return allotments;
}

function allotGroup(
	members: readonly Member[],
	{ usernameFragment, password }: IceCredentials,
	input: OfferInput,
	allotments: Map<string, Allotment>,
): void {
	const { transports, bundlePolicy } = input;
	const tag = members.find(({ mid }) => transports.has(mid) && groupOf(input.remote, mid))?.mid;
	const kinds = new Set(members.filter(({ mid }) => transports.has(mid)).map(({ kind }) => kind));
	const owners = new Map<TransportRecord, string>();
	for (const { mid, kind } of members) {
		allotments.set(mid, allot(mid, kind));
		kinds.add(kind);
	}

	function allot(mid: string, kind: Section['kind']): Allotment {
		const record = transports.get(mid);
		if (record) return existing(mid, record);
		const first = members[0]!.mid;
		if (tag !== undefined) return transport(tag);
		if (mid === first || bundlePolicy === 'max-compat') return transport(mid);
		if (bundlePolicy === 'max-bundle') return transport(first);
		return kinds.has(kind) ? transport(first, { bundleOnly: true }) : transport(mid);
	}

	function existing(mid: string, record: TransportRecord): Allotment {
		const negotiated = sectionByMid(input.remote, mid) !== undefined;
		const bundleOnly = !negotiated && (sectionByMid(input.local, mid)?.bundleOnly ?? false);
		const owner = owners.get(record);
		if (owner !== undefined) return transport(owner, { bundleOnly });
		owners.set(record, mid);
		if (input.iceRestart) return transport(mid, { bundleOnly });
		const { candidates, endOfCandidates } = record;
		return transport(mid, { bundleOnly, candidates: [...candidates], endOfCandidates });
	}

	function transport(owner: string, more: Partial<Allotment> = {}): Allotment {
		// The owner may share a transport itself, as the first of a group whose tag comes later.
		return {
			owner: allotments.get(owner)?.owner ?? owner,
			usernameFragment,
			password,
			bundleOnly: false,
			candidates: [],
			endOfCandidates: false,
			...more,
		};
	}
}

/**
 * The lines of a section about its transport. They are repeated in every section that shares it, as browsers do and
 * peers without BUNDLE want; only the candidates are not.
 */
export function transportAttributes(
	{ usernameFragment, password, candidates, endOfCandidates }: Omit<TransportRecord, 'dtlsRole'>,
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
