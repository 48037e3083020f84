import type { MediaStreamTrack } from '../../media/index.ts';
import { constructorKey } from '../../webidl/interface.ts';
import type { Connection } from '../connection.ts';
import type { DataChannel } from '../dataChannel.ts';
import { RTCStatsReport, type StatsEntry } from '../RTCStatsReport.ts';
import type { Receiver } from '../receiver.ts';
import { Sender } from '../sender.ts';
import type { Transport } from '../transport.ts';
import { dataChannelEntry, peerConnectionEntry } from './connectionEntries.ts';
import type { Entry } from './entry.ts';
import { StatsPoll } from './poll.ts';
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
	const poll = StatsPoll.of(connection);
	// What there is to ask may answer at once; a report is gathered in parallel all the same.
	await poll.begun;
	const groups = await Promise.all(selector ? gatherSelected(poll, selector) : gatherAll(poll, connection));
	const timestamp = performance.timeOrigin + performance.now();
	const entries = groups.flat().map((entry): StatsEntry => ({ timestamp, ...known(entry) }));
	return new RTCStatsReport(constructorKey, selector ? select(entries, selector) : entries);
}

function gatherAll(poll: StatsPoll, connection: Connection): (Entry[] | Promise<Entry[]>)[] {
	const { transceivers, transports, streams } = connection;
	return [
		[peerConnectionEntry(connection)],
		...transceivers.flatMap(({ sender, receiver }) => [ofSender(poll, sender), ofReceiver(poll, receiver)]),
		...[...new Set(transports.values())].map((transport) => ofTransport(poll, connection, transport)),
		...[...streams.values()].map((channel) => ofChannel(poll, channel)),
	];
}

/** What a sender's or receiver's own entries can lead to. */
function gatherSelected(poll: StatsPoll, selector: Sender | Receiver): Promise<Entry[]>[] {
	const { connection, transport } = selector;
	const own = selector instanceof Sender ? ofSender(poll, selector) : ofReceiver(poll, selector);
	return transport ? [own, ofTransport(poll, connection, transport)] : [own];
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

async function ofTransport(poll: StatsPoll, connection: Connection, transport: Transport): Promise<Entry[]> {
	const [ice, dtls] = await Promise.all([poll.ask(transport.ice.handle), poll.ask(transport.dtls.handle)]);
	return transportEntries(connection, transport, ice, dtls);
}

async function ofSender(poll: StatsPoll, sender: Sender): Promise<Entry[]> {
	return outboundEntries(sender, await poll.ask(sender.negotiated && sender.handle));
}

async function ofReceiver(poll: StatsPoll, receiver: Receiver): Promise<Entry[]> {
	return inboundEntries(receiver, await poll.ask(receiver.negotiated && receiver.handle));
}

async function ofChannel(poll: StatsPoll, channel: DataChannel): Promise<Entry[]> {
	return dataChannelEntry(channel, await poll.ask(channel.handle));
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
