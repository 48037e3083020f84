import { type Description, interpretSctp, type Section } from '../jsep/index.ts';
import type { AppliedDescription } from './appliedDescription.ts';
import type { Connection } from './connection.ts';
import { assignStreams, attachChannels } from './dataChannels.ts';
import type { Effects } from './remoteTracks.ts';
import { SctpState } from './sctp.ts';
import { Transport } from './transport.ts';
import { sectionOf } from './transports.ts';

/**
 * Makes the association that a description speaks of, and starts it with the answer.
 * @see https://www.w3.org/TR/webrtc/#set-description, 4.6.7 – 4.6.10
 */
export function applySctp(
	connection: Connection,
	{ type, description }: AppliedDescription,
	remote: boolean,
	effects: Effects,
): void {
	const section = dataSection(description);
	// 4.6.7
	if (type === 'offer') {
		if (section && !connection.sctp)
			connection.sctp = new SctpState(connection, transportFor(connection, section, description));
		return;
	}
	const { sctp } = connection;
	if (!sctp) return;
	// 4.6.8
	if (!section) {
		if (type === 'answer') refuse(connection, sctp);
		return;
	}
	// 4.6.10.1
	const local = remote ? sectionOf(connection.local?.description, section.mid) : section;
	const theirs = remote ? section : sectionOf(connection.remote?.description, section.mid);
	sctp.transport = connection.transports.get(section.mid) ?? sctp.transport;
	if (local && theirs) sctp.negotiate(interpretSctp(local, theirs));
	// 4.6.10.2
	effects.errors.push(...assignStreams(connection));
	attachChannels(connection);
}

function dataSection({ sections }: Description): Section | undefined {
	return sections.find(({ kind, rejected }) => kind === 'application' && !rejected);
}

/** That of its BUNDLE group, should another section have one already; ours is opened with the answer otherwise. */
function transportFor(connection: Connection, section: Section, { bundle }: Description): Transport {
	const group = bundle.find((mids) => mids.includes(section.mid)) ?? [section.mid];
	const [known] = [section.mid, ...group].flatMap((mid) => connection.transports.get(mid) ?? []);
	return known ?? new Transport(connection, section.mid, 0);
}

function refuse(connection: Connection, sctp: SctpState): void {
	connection.sctp = null;
	sctp.close(false);
	const channels = [...connection.dataChannels];
	queueMicrotask(() => {
		for (const channel of channels) channel.failed('The peer takes no data channels');
	});
}
