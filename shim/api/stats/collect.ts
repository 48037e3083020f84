import type { MediaStreamTrack } from '../../media/index.ts';
import { constructorKey } from '../../webidl/interface.ts';
import { nextTask } from '../../webidl/task.ts';
import type { Connection } from '../connection.ts';
import { RTCStatsReport, type StatsEntry } from '../RTCStatsReport.ts';
import type { Receiver } from '../receiver.ts';
import { Sender } from '../sender.ts';
import type { Transport } from '../transport.ts';
import { dataChannelEntry, peerConnectionEntry } from './connectionEntries.ts';
import type { Entry } from './entry.ts';
import { inboundEntries, outboundEntries } from './rtpEntries.ts';
import { transportEntries } from './transportEntries.ts';

/**
 * The report of a connection, or of what one sender or receiver has to do with.
 * An object that cannot answer (it is being closed, or the session is lost) has no counters.
 * @see https://www.w3.org/TR/webrtc/#dfn-stats-selection-algorithm
 */
export async function collectStats(
	connection: Connection,
	selector: Sender | Receiver | null = null,
): Promise<RTCStatsReport> {
	// What there is to ask may answer at once; a report is gathered in parallel all the same.
	await nextTask();
	const { transceivers, transports, streams } = connection;
	const groups = await Promise.all([
		...transceivers.flatMap(({ sender, receiver }) => [ofSender(sender), ofReceiver(receiver)]),
		...[...new Set(transports.values())].map((transport) => ofTransport(connection, transport)),
		...[...streams.values()].map(async (channel) =>
			dataChannelEntry(channel, await orNull(channel.handle?.call('getStats', {}))),
		),
	]);
	const timestamp = performance.timeOrigin + performance.now();
	const entries = [peerConnectionEntry(connection), ...groups.flat()];
	const stamped = entries.map((entry): StatsEntry => ({ timestamp, ...known(entry) }));
	return new RTCStatsReport(constructorKey, selector ? select(stamped, selector) : stamped);
}

/**
 * The sender or receiver of a track.
 * @throws {InvalidAccessError} none has it, or several
 */
export function selectTrack({ transceivers }: Connection, track: MediaStreamTrack): Sender | Receiver {
	const live = transceivers.filter(({ stopped }) => !stopped);
	const found = live
		.flatMap(({ sender, receiver }) => [sender, receiver] as const)
		.filter((each) => each.track === track);
	if (found.length === 1) return found[0]!;
	throw new DOMException(`${found.length} senders and receivers have the track`, 'InvalidAccessError');
}

async function ofTransport(connection: Connection, transport: Transport): Promise<Entry[]> {
	const [ice, dtls] = await Promise.all([
		orNull(transport.ice.handle?.call('getStats', {})),
		orNull(transport.dtls.handle?.call('getStats', {})),
	]);
	return transportEntries(connection, transport, ice, dtls);
}

async function ofSender(sender: Sender): Promise<Entry[]> {
	return outboundEntries(sender, sender.negotiated && (await orNull(sender.handle.call('getStats', {}))));
}

async function ofReceiver(receiver: Receiver): Promise<Entry[]> {
	return inboundEntries(receiver, receiver.negotiated && (await orNull(receiver.handle.call('getStats', {}))));
}

async function orNull<Counters>(reply: Promise<Counters> | undefined): Promise<Counters | null> {
	try {
		return (await reply) ?? null;
	} catch {
		return null;
	}
}

/** The entries that a sender's or receiver's own lead to. */
function select(entries: readonly StatsEntry[], selector: Sender | Receiver): StatsEntry[] {
	const byId = new Map(entries.map((entry) => [entry.id, entry]));
	const type = selector instanceof Sender ? 'outbound-rtp' : 'inbound-rtp';
	const { mid } = selector.transceiver;
	const reached = new Set<StatsEntry>();
	const waiting = entries.filter((entry) => entry.type === type && entry.mid === mid);
	for (let entry = waiting.pop(); entry; entry = waiting.pop()) {
		if (reached.has(entry)) continue;
		reached.add(entry);
		waiting.push(...references(entry).flatMap((id) => byId.get(id) ?? []));
	}
	return [...reached];
}

function references(entry: StatsEntry): string[] {
	return Object.entries(entry).flatMap(([name, value]) =>
		name.endsWith('Id') && typeof value === 'string' ? [value] : [],
	);
}

/** A copy without the members that are not known. */
function known(entry: Entry): Entry {
	const { id, type } = entry;
	// The dictionaries have one member that is null rather than missing.
	const isThere = ([name, value]: [string, unknown]) => value !== undefined && (value !== null || name === 'address');
	const members = Object.entries(entry).filter(isThere);
	return { id, type, ...Object.fromEntries(members) };
}
