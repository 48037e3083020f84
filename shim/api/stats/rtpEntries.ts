import type { Codec } from '../../jsep/index.ts';
import type { Receiver } from '../receiver.ts';
import type { Sender } from '../sender.ts';
import type { Transport } from '../transport.ts';
import type { Entry } from './collect.ts';
import type { ReceiverCounters, SenderCounters, StreamCounters } from './counters.ts';
import { transportId } from './transportEntries.ts';

/** What is sent, what the peer reports of it, the codecs and the source. @see https://www.w3.org/TR/webrtc-stats/#outboundrtpstats-dict* */
export function outboundEntries(sender: Sender, counters: SenderCounters | null): Entry[] {
	const { transport, transceiver, kind, track } = sender;
	const source: Entry | null = track && {
		id: `S${sender.handle.id}`,
		type: 'media-source',
		trackIdentifier: track.id,
		kind,
	};
	if (!transport || !counters) return source ? [source] : [];
	const { mid } = transceiver;
	const streams = counters.streams.flatMap(({ remote, ...stream }, index): Entry[] => {
		const id = `O${sender.handle.id}_${stream.ssrc}`;
		const shared = streamMembers(stream, kind, transport, sender.codecs);
		const outbound: Entry = {
			...shared,
			id,
			type: 'outbound-rtp',
			mid,
			encodingIndex: index,
			mediaSourceId: source?.id,
			remoteId: remote ? `R${id}` : undefined,
		};
		if (!remote) return [outbound];
		const { ssrc, transportId, codecId } = shared;
		return [
			outbound,
			{ ...remote, id: `R${id}`, type: 'remote-inbound-rtp', localId: id, kind, ssrc, transportId, codecId },
		];
	});
	return [...(source ? [source] : []), ...codecEntries(counters.streams, transport, sender.codecs), ...streams];
}

/** What is received, and what the peer reports of it. @see https://www.w3.org/TR/webrtc-stats/#inboundrtpstats-dict* */
export function inboundEntries(receiver: Receiver, counters: ReceiverCounters | null): Entry[] {
	const { transport, transceiver, kind, track } = receiver;
	if (!transport || !counters) return [];
	const { mid } = transceiver;
	const streams = counters.streams.flatMap(({ remote, ...stream }): Entry[] => {
		const id = `I${receiver.handle.id}_${stream.ssrc}`;
		const shared = streamMembers(stream, kind, transport, receiver.codecs);
		const inbound: Entry = {
			...shared,
			id,
			type: 'inbound-rtp',
			mid,
			trackIdentifier: track.id,
			remoteId: remote ? `R${id}` : undefined,
		};
		if (!remote) return [inbound];
		const { ssrc, transportId, codecId } = shared;
		const { timestamp: _, ...reported } = remote;
		return [
			inbound,
			{ ...reported, id: `R${id}`, type: 'remote-outbound-rtp', localId: id, kind, ssrc, transportId, codecId },
		];
	});
	return [...codecEntries(counters.streams, transport, receiver.codecs), ...streams];
}

function streamMembers(
	{ payloadType, ...counters }: Omit<StreamCounters, 'remote'>,
	kind: string,
	transport: Transport,
	codecs: readonly Codec[],
) {
	const codec = codecs.find((each) => each.payloadType === payloadType);
	const id = transportId(transport);
	return {
		...(kind === 'video' ? counters : withoutPictures(counters)),
		ssrc: counters.ssrc,
		kind,
		transportId: id,
		codecId: codec && codecId(codec, id),
	};
}

/** Audio streams have no members about pictures. */
function withoutPictures(counters: Record<string, unknown>): Record<string, unknown> {
	const pictures = /^(frame|frames|keyFrames|hugeFrames|pli|fir|rid$|totalDecode|totalEncode)/;
	return Object.fromEntries(Object.entries(counters).filter(([name]) => !pictures.test(name)));
}

const codecId = (codec: Codec, transport: string): string =>
	`C${transport}_${codec.payloadType}_${codec.sdpFmtpLine ?? ''}`;

/** The codecs that are in use. @see https://www.w3.org/TR/webrtc-stats/#codec-dict* */
function codecEntries(streams: readonly StreamCounters[], transport: Transport, codecs: readonly Codec[]): Entry[] {
	const used = new Set(streams.map(({ payloadType }) => payloadType));
	const id = transportId(transport);
	return codecs
		.filter(({ payloadType }) => used.has(payloadType))
		.map((codec) => ({
			id: codecId(codec, id),
			type: 'codec',
			transportId: id,
			payloadType: codec.payloadType,
			mimeType: codec.mimeType,
			clockRate: codec.clockRate,
			channels: codec.channels,
			sdpFmtpLine: codec.sdpFmtpLine,
		}));
}
