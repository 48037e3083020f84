/** What a section says of the streams we send: msid, SSRCs, and simulcast's rids. */

import { repairs } from './codecs.ts';
import type { Codec, Msid, Rid, Section } from './description.ts';
import type { TransceiverRecord } from './records.ts';

type Streams = Pick<Section, 'msids' | 'ssrcs' | 'ssrcGroups' | 'rids' | 'simulcast'>;

/** Of a section in which we send nothing. */
const none = (): Streams => ({ msids: [], ssrcs: [], ssrcGroups: [], rids: [] });

/**
 * Of the section of a sender. With several encodings their rids, which the packets carry, stand for their SSRCs;
 * one that is not active is no other for that: setParameters() may turn it on without negotiation.
 * @param taken rids that the other side takes, when it has said so; encodings without one are left out, and a layer
 * that is left alone is still named by its rid
 * @see https://www.rfc-editor.org/rfc/rfc9429#section-5.2.1
 */
export function sentStreams(
	transceiver: TransceiverRecord,
	codecs: readonly Codec[],
	taken?: readonly string[],
): Streams {
	const msids = msidsOf(transceiver);
	const encodings = transceiver.sendEncodings.filter(({ rid }) => !taken || (rid !== undefined && taken.includes(rid)));
	const layers = encodings.filter((encoding) => encoding.rid !== undefined);
	if (layers.length > (taken ? 0 : 1)) {
		const rids = layers.map(({ rid }): Rid => ({ rid: rid!, direction: 'send' }));
		return { ...none(), msids, rids, simulcast: { send: layers.map(({ rid }) => rid!) } };
	}
	const [encoding] = transceiver.sendEncodings;
	if (!encoding) return { ...none(), msids };
	const { ssrc, rtxSsrc } = encoding;
	const line = { cname: transceiver.cname, msid: `${msids[0]!.stream} ${transceiver.trackId}` };
	if (rtxSsrc === undefined || !codecs.some((codec) => repairs(codec) !== null))
		return { ...none(), msids, ssrcs: [{ ssrc, ...line }] };
	return {
		...none(),
		msids,
		ssrcs: [ssrc, rtxSsrc].map((id) => ({ ssrc: id, ...line })),
		ssrcGroups: [{ semantics: 'FID', ssrcs: [ssrc, rtxSsrc] }],
	};
}

function msidsOf({ streams, trackId }: TransceiverRecord): Msid[] {
	return (streams.length > 0 ? streams : ['-']).map((stream) => ({ stream, track: trackId }));
}

/**
 * The layers of one direction of a section's simulcast: of alternatives the first, and each rid once.
 * @see https://www.w3.org/TR/webrtc/#set-description, 4.6.11.2.3
 */
export function layersOf(section: Section | undefined, direction: 'send' | 'recv'): { rid: string; paused: boolean }[] {
	const declared = new Set(section?.rids.filter((rid) => rid.direction === direction).map(({ rid }) => rid));
	return (section?.simulcast?.[direction] ?? [])
		.map((item) => item.split(',')[0]!)
		.map((item) => (item.startsWith('~') ? { rid: item.slice(1), paused: true } : { rid: item, paused: false }))
		.filter(({ rid }) => declared.delete(rid));
}

/** Our side of the simulcast that the other side sends: all its layers, wanted as it offers them. */
export function receivedLayers(remote: Section | undefined): { rids: Rid[]; recv: string[] } | null {
	const layers = layersOf(remote, 'send');
	if (layers.length === 0) return null;
	return {
		rids: layers.map(({ rid }) => ({ rid, direction: 'recv' })),
		recv: layers.map(({ rid, paused }) => (paused ? `~${rid}` : rid)),
	};
}

/** Everything a section says of streams, both ways. */
export function withReceived(sent: Streams | null, remote: Section | undefined): Streams {
	const streams = sent ?? none();
	const received = receivedLayers(remote);
	if (!received) return streams;
	return {
		...streams,
		rids: [...streams.rids, ...received.rids],
		simulcast: { ...streams.simulcast, recv: received.recv },
	};
}
