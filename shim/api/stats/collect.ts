import type { MediaStreamTrack } from '../../media/index.ts';
import type { Remote } from '../../rpc/Remote.ts';
import { constructorKey } from '../../webidl/interface.ts';
import type { Connection } from '../connection.ts';
import { RTCStatsReport, type StatsEntry } from '../RTCStatsReport.ts';
import type { Receiver } from '../receiver.ts';
import { Sender } from '../sender.ts';
import { dataChannelEntry, peerConnectionEntry } from './connectionEntries.ts';
import type { DataChannelCounters, DtlsCounters, IceCounters, ReceiverCounters, SenderCounters } from './counters.ts';
import { inboundEntries, outboundEntries } from './rtpEntries.ts';
import { transportEntries } from './transportEntries.ts';

/**
 * The report of a connection, or of what one sender or receiver has to do with.
 * An object that cannot answer (it is being closed, or the session is lost) has no entries.
 * @see https://www.w3.org/TR/webrtc/#dfn-stats-selection-algorithm
 */
export async function collectStats(
	connection: Connection,
	selector: Sender | Receiver | null = null,
): Promise<RTCStatsReport> {
	const groups = await Promise.all([
		...[...new Set(connection.transports.values())].map((transport) => ofTransport(connection, transport)),
		...connection.transceivers.flatMap(({ sender, receiver }) => [ofSender(sender), ofReceiver(receiver)]),
		...[...connection.streams.values()].map(async (channel) => {
			const counters = await ask<DataChannelCounters>(channel.handle);
			return dataChannelEntry(channel, counters);
		}),
	]);
	const timestamp = performance.timeOrigin + performance.now();
	const entries = [peerConnectionEntry(connection), ...groups.flat()];
	const stamped = entries.map((entry): StatsEntry => ({ timestamp, ...defined(entry) }));
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

/** An entry before it has its timestamp, unless it is of another time. */
export interface Entry {
	id: string;
	type: string;
	timestamp?: number;
	[member: string]: unknown;
}

async function ofTransport(
	connection: Connection,
	transport: Parameters<typeof transportEntries>[1],
): Promise<Entry[]> {
	const [ice, dtls] = await Promise.all([
		ask<IceCounters>(transport.ice.handle),
		ask<DtlsCounters>(transport.dtls.handle),
	]);
	return transportEntries(connection, transport, ice, dtls);
}

async function ofSender(sender: Sender): Promise<Entry[]> {
	return outboundEntries(sender, sender.negotiated ? await ask<SenderCounters>(sender.handle) : null);
}

async function ofReceiver(receiver: Receiver): Promise<Entry[]> {
	return inboundEntries(receiver, receiver.negotiated ? await ask<ReceiverCounters>(receiver.handle) : null);
}

type Asked = Remote<'IceTransport' | 'DtlsTransport' | 'DataChannel' | 'RtpSender' | 'RtpReceiver'>;

async function ask<Counters>(handle: unknown): Promise<Counters | null> {
	if (!handle) return null;
	try {
		return (await (handle as Asked).call('getStats', {})) as Counters;
	} catch {
		return null;
	}
}

/** The entries that a sender's or receiver's own lead to. */
function select(entries: readonly StatsEntry[], selector: Sender | Receiver): StatsEntry[] {
	const byId = new Map(entries.map((entry) => [entry.id, entry]));
	const type = selector instanceof Sender ? 'outbound-rtp' : 'inbound-rtp';
	const mid = selector.transceiver.mid;
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

/** Members that the worker knows nothing of are left out. */
function defined(entry: Entry): Entry {
	const known = Object.entries(entry).filter(([, value]) => value !== undefined && value !== null);
	return Object.fromEntries(known) as unknown as Entry;
}
