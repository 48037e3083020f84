/** Which transport carries which section, as descriptions are applied. */

import {
	type Description,
	interpretTransport,
	negotiatedOwners,
	type Section,
	type TransportOwners,
} from '../jsep/index.ts';
import type { AppliedDescription } from './appliedDescription.ts';
import { toIceServers } from './configuration.ts';
import type { Connection } from './connection.ts';
import { type IceRole, Transport } from './transport.ts';

/** Gives each section of a local description its transport, made where there is none, and begins to gather. */
export function openTransports(connection: Connection, { type, description, owners }: AppliedDescription): void {
	if (type === 'offer') assignTransports(connection, description, owners);
	else keepAnswered(connection, description, description);
	gather(connection, description, iceRole(connection, type !== 'offer'));
}

/** Keeps the transports that the BUNDLE groups of an answer, ours or the peer's, leave. */
export function keepAnswered(connection: Connection, local: Description, answer: Description): void {
	assignTransports(connection, local, negotiatedOwners(local, answer));
}

/** Goes back to the transports and credentials of the last stable state. */
export function restoreTransports(connection: Connection): void {
	connection.transports = new Map(connection.stableTransports);
	if (connection.currentLocal) gather(connection, connection.currentLocal.description, 'controlling');
}

/** Tells each transport the credentials of the section that owns it; those it has already change nothing. */
function gather(connection: Connection, local: Description, role: IceRole): void {
	const servers = toIceServers(connection.configuration);
	for (const [mid, transport] of connection.transports) {
		const section = sectionOf(local, mid);
		if (transport.mid !== mid || section?.iceUfrag === undefined) continue;
		const credentials = { usernameFragment: section.iceUfrag, password: section.icePwd ?? '' };
		transport.open(credentials, role, servers, connection.readyCertificate!);
	}
}

/** Gives each section the transport of its owner, made where there is none. */
function assignTransports(connection: Connection, local: Description, owners: TransportOwners): void {
	const before = connection.transports;
	const now = new Map<string, Transport>();
	for (const { mid } of local.sections) {
		const owner = owners.get(mid);
		if (owner === undefined) continue;
		const transport = now.get(owner) ?? before.get(owner) ?? before.get(mid);
		now.set(mid, transport ?? adoptOrMake(connection, owner, owners));
		if (!now.has(owner)) now.set(owner, now.get(mid)!);
	}
	for (const [mid, transport] of now) {
		if (owners.get(mid) !== mid) continue;
		transport.mid = mid;
		transport.mlineIndex = local.sections.findIndex((section) => section.mid === mid);
	}
	connection.transports = now;
}

/** The association of a remote offer has a transport before its section has: that one is taken when it is due. */
function adoptOrMake(connection: Connection, owner: string, owners: ReadonlyMap<string, string>): Transport {
	const waiting = connection.sctp?.transport;
	const isDue = waiting && !waiting.ice.handle && !waiting.isClosed && owners.get(waiting.mid) === owner;
	return isDue ? waiting : new Transport(connection, owner, 0);
}

/** Begins checks and handshakes with what both descriptions say. */
export function connectTransports(connection: Connection, answerer: 'local' | 'remote'): void {
	const local = connection.local!.description;
	const remote = connection.remote!.description;
	for (const transport of new Set(connection.transports.values())) {
		const localSection = sectionOf(local, transport.mid);
		const remoteSection = sectionOf(remote, transport.mid);
		if (!localSection || !remoteSection || remoteSection.rejected) continue;
		const members = remote.sections.filter(
			({ mid }) => connection.transports.get(mid) === transport && takesCandidates(transport, mid, remote),
		);
		transport.connect({
			...interpretTransport(localSection, remoteSection, answerer),
			candidates: [...new Set(members.flatMap(({ candidates }) => candidates))],
		});
	}
}

/**
 * Whether a transport takes the candidates that the peer has said under a mid. Under its own it does; under that of
 * another section of its group only while its own has none. Each section of an offer has sockets of its own until the
 * answer bundles them: they answer checks, since their credentials are equal, and lead nowhere. A peer that trickles
 * under any mid of a group says nothing under the right one.
 */
export function takesCandidates(transport: Transport, mid: string, remote: Description): boolean {
	return transport.mid === mid || !sectionOf(remote, transport.mid)?.candidates.length;
}

/**
 * Closes the transports that no section uses any more, nor would after a rollback.
 * @see https://www.w3.org/TR/webrtc/#set-description, 4.6.14.1
 */
export function closeUnused(connection: Connection): void {
	const { transports, stableTransports, sctp, stableSctp, signalingState, openTransports } = connection;
	const used = new Set([...transports.values(), sctp?.transport]);
	if (signalingState !== 'stable') {
		for (const transport of [...stableTransports.values(), stableSctp?.transport]) used.add(transport);
	}
	for (const transport of [...openTransports]) if (!used.has(transport)) transport.discard();
}

/** @see https://www.w3.org/TR/webrtc/#set-description, 4.6.11.2.14.6 */
function iceRole({ remote }: Connection, isAnswer: boolean): IceRole {
	if (!isAnswer) return 'controlling';
	return remote?.description.sections.some(({ iceLite }) => iceLite) ? 'controlling' : 'controlled';
}

export function sectionOf(description: Description | undefined, mid: string): Section | undefined {
	return description?.sections.find((section) => section.mid === mid);
}
