/** BUNDLE and transports of an answer. */

import { transportAttributes } from './bundle.ts';
import type { Description, Setup } from './description.ts';
import type { AnswerInput, IceCredentials, TransportRecord } from './records.ts';
import { groupOf, sectionByMid } from './section.ts';

type TransportLines = ReturnType<typeof transportAttributes>;

interface Groups {
	groups: string[][];
	/** By owner: the mids that run over its transport, its own first. What is in none is rejected. */
	accepted: string[][];
}

/**
 * The groups that we accept of those offered, and every transport that results.
 * @param mids of the sections that we would accept
 * @see https://www.rfc-editor.org/rfc/rfc9143#section-7.3
 */
export function answerGroups(mids: readonly string[], input: AnswerInput): Groups {
	const groups = input.remote.bundle.flatMap((offered) => {
		const group = withTagFirst(
			offered.filter((mid) => mids.includes(mid)),
			input,
		);
		return group ? [group] : [];
	});
	const alone = mids.filter((mid) => !groupOf(input.remote, mid) && !sectionByMid(input.remote, mid)!.bundleOnly);
	const accepted = [...groups, ...alone.map((mid) => [mid])];
	if (input.bundlePolicy !== 'max-bundle' || accepted.length <= 1) return { groups, accepted };
	// One transport only: that of the first section which has one.
	const first = mids.map((mid) => accepted.find((members) => members.includes(mid))).find(Boolean)!;
	return { groups: groups.filter((group) => group === first), accepted: [first] };
}

/** The tag is whose transport exists already, else the first that comes with one; null when none does. */
function withTagFirst(group: readonly string[], { remote, transports }: AnswerInput): string[] | null {
	const tag = group.find((mid) => transports.has(mid)) ?? group.find((mid) => !sectionByMid(remote, mid)!.bundleOnly);
	return tag === undefined ? null : [tag, ...group.filter((mid) => mid !== tag)];
}

/** The transport's lines for each mid accepted. */
export function answerTransports(
	accepted: readonly (readonly string[])[],
	input: AnswerInput,
): Map<string, TransportLines> {
	const credentials = credentialsMaker(accepted, input);
	const lines = new Map<string, TransportLines>();
	for (const [owner, ...others] of accepted) {
		const transport = ownerLines(owner!, credentials, input);
		lines.set(owner!, transport);
		for (const mid of others) lines.set(mid, { ...transport, candidates: [], endOfCandidates: false });
	}
	return lines;
}

/**
 * Makes credentials for transports that are new (`record` undefined) or restart. A new one takes those of a transport
 * that goes on, and all others share one pair: an offer of ours can then put all of them in one BUNDLE group.
 */
function credentialsMaker(
	accepted: readonly (readonly string[])[],
	input: AnswerInput,
): (record: TransportRecord | undefined) => IceCredentials {
	const kept = accepted.map(([owner]) => keptRecord(owner!, input)).find(Boolean);
	let made: IceCredentials | null = null;
	return (record) => {
		if (!record && kept) return kept;
		made ??= input.newCredentials();
		return made;
	};
}

/** The transport of a section, unless there is none or the offer restarts ICE on it. */
function keptRecord(owner: string, input: AnswerInput): TransportRecord | undefined {
	return restarts(owner, input) ? undefined : input.transports.get(owner);
}

function ownerLines(
	owner: string,
	credentials: (record: TransportRecord | undefined) => IceCredentials,
	input: AnswerInput,
): TransportLines {
	const record = input.transports.get(owner);
	const kept = keptRecord(owner, input);
	const setup = answerSetup(sectionByMid(input.remote, owner)!.setup, record?.dtlsRole ?? null);
	const transport = kept
		? { ...kept, candidates: [...kept.candidates] }
		: { ...credentials(record), candidates: [], endOfCandidates: false };
	return transportAttributes(transport, input.fingerprints, setup);
}

/** The role we have is kept; without one we are active, which saves the peer's first flight half a round trip. */
function answerSetup(offered: Setup | undefined, role: 'client' | 'server' | null): Setup {
	if (offered === 'active') return 'passive';
	if (offered === 'passive') return 'active';
	return role === 'server' ? 'passive' : 'active';
}

/**
 * Whether the offer restarts ICE on the transport of a section: its credentials are not those that this transport
 * last had, which were its owner's at the time.
 */
function restarts(mid: string, { remote, local, previousRemote }: AnswerInput): boolean {
	const before = sectionByMid(previousRemote, negotiatedOwner(local, previousRemote, mid));
	if (!before || before.rejected) return false;
	const now = sectionByMid(remote, mid)!;
	return before.iceUfrag !== now.iceUfrag || before.icePwd !== now.icePwd;
}

/** The section whose transport a section used under a negotiated pair of descriptions: its group's tag, or itself. */
function negotiatedOwner(local: Description | null, remote: Description | null, mid: string): string {
	const theirs = groupOf(remote, mid);
	return groupOf(local, mid)?.find((member) => theirs?.includes(member)) ?? mid;
}
