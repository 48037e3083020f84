import type { Codec } from '../../jsep/index.ts';
import type { InboundStats, OutboundStats, ReceiverStats, SenderStats } from '../../rpc/schema.ts';
import type { Receiver } from '../receiver.ts';
import { type Sender, toCodecParameters } from '../sender.ts';
import type { Transport } from '../transport.ts';
import type { Entry } from './entry.ts';
import { transportId } from './transportEntries.ts';

/**
 * What a sender sends, what the peer reports of it, the codecs and the source.
 * @see https://www.w3.org/TR/webrtc-stats/#outboundrtpstats-dict*
 */
export function outboundEntries(sender: Sender, counters: SenderStats | null): Entry[] {
	const { transport, transceiver, kind, track, codecs } = sender;
	const source: Entry[] = track
		? [{ id: `S${sender.handle.id}`, type: 'media-source', trackIdentifier: track.id, kind }]
		: [];
	if (!transport || !counters) return source;
	const { streams } = counters;
	const sent = streams.flatMap(({ remote, ...stream }, encodingIndex): Entry[] => {
		const id = `O${sender.handle.id}_${stream.ssrc}`;
		const shared = sharedMembers(stream, kind, transport, codecs);
		const outbound = { ...members(stream, kind), ...shared, id, type: 'outbound-rtp', mid: transceiver.mid };
		const links = { encodingIndex, mediaSourceId: source[0]?.id, remoteId: remote ? `R${id}` : undefined };
		const reported = remote ? [{ ...remote, ...shared, id: `R${id}`, type: 'remote-inbound-rtp', localId: id }] : [];
		return [{ ...outbound, ...links }, ...reported];
	});
	return [...source, ...codecEntries(streams, transport, codecs), ...sent];
}

/**
 * What a receiver receives, what the peer reports of it, and the codecs.
 * @see https://www.w3.org/TR/webrtc-stats/#inboundrtpstats-dict*
 */
export function inboundEntries(receiver: Receiver, counters: ReceiverStats | null): Entry[] {
	const { transport, transceiver, kind, track, codecs } = receiver;
	if (!transport || !counters) return [];
	const { streams } = counters;
	const received = streams.flatMap(({ remote, ...stream }): Entry[] => {
		const id = `I${receiver.handle.id}_${stream.ssrc}`;
		const shared = sharedMembers(stream, kind, transport, codecs);
		const inbound = { ...members(stream, kind), ...shared, id, type: 'inbound-rtp', mid: transceiver.mid };
		const links = { trackIdentifier: track.id, remoteId: remote ? `R${id}` : undefined };
		// The report's own time of arrival is the entry's timestamp.
		const reported = remote ? [{ ...remote, ...shared, id: `R${id}`, type: 'remote-outbound-rtp', localId: id }] : [];
		return [{ ...inbound, ...links }, ...reported];
	});
	return [...codecEntries(streams, transport, codecs), ...received];
}

type Stream = Omit<OutboundStats, 'remote'> | Omit<InboundStats, 'remote'>;

function sharedMembers({ ssrc, payloadType }: Stream, kind: string, transport: Transport, codecs: readonly Codec[]) {
	const codec = codecs.find((each) => each.payloadType === payloadType);
	const id = transportId(transport);
	return { ssrc, kind, transportId: id, codecId: codec && codecId(codec, id) };
}

/** Members that streams of the other kind have. */
const foreign = {
	audio: /^(frame|frames|keyFrames|qualityLimitation|hugeFrames|pli|fir|rid$|totalDecode|totalEncode|targetBitrate)/,
	video: /^(totalSamples|audioLevel|concealed|silentConcealed|concealment|insertedSamples|removedSamples)/,
};
/** Members that are 0 only as long as they are not known. */
const unknownAtZero = ['frameWidth', 'frameHeight', 'targetBitrate'];

/** The worker's counters under their names, those that this kind of stream has. */
function members(stream: Stream, kind: 'audio' | 'video'): Record<string, unknown> {
	const { payloadType: _, ...counters } = stream;
	return Object.fromEntries(
		Object.entries(counters).filter(
			([name, value]) => !foreign[kind].test(name) && !(value === 0 && unknownAtZero.includes(name)),
		),
	);
}

const codecId = (codec: Codec, transport: string): string =>
	`C${transport}_${codec.payloadType}_${codec.sdpFmtpLine ?? ''}`;

/** The codecs that are in use. @see https://www.w3.org/TR/webrtc-stats/#codec-dict* */
function codecEntries(streams: readonly Stream[], transport: Transport, codecs: readonly Codec[]): Entry[] {
	const used = new Set(streams.map(({ payloadType }) => payloadType));
	const id = transportId(transport);
	return codecs
		.filter(({ payloadType }) => used.has(payloadType))
		.map((codec) => ({ ...toCodecParameters(codec), id: codecId(codec, id), type: 'codec', transportId: id }));
}
