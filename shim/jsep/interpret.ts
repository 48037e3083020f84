/** What a local and a remote section agreed on, as the worker's objects take it (docs/protocol.md). */

import { LOCAL_CODECS } from './capabilities.ts';
import { common, fmtpParameters, inOrderOf, matches, repairs } from './codecs.ts';
import type { Codec, Direction, Fingerprint, Msid, RtcpFeedback, Section } from './description.ts';
import { intersectDirections, receives, reverseDirection, sends } from './direction.ts';
import { type HeaderExtensionControl, negotiatedExtensions } from './headerExtensions.ts';
import type { IceCredentials, SendEncoding } from './records.ts';
import { isMedia } from './section.ts';
import { layersOf } from './streams.ts';

export interface WireCodec {
	mimeType: string;
	payloadType: number;
	clockRate: number;
	channels?: number;
	parameters: Record<string, string>;
	rtcpFeedback: RtcpFeedback[];
}

/** RtpSender.send less its transport; the API adds each encoding's rate limits. */
export interface SendParameters {
	active: boolean;
	mid: string;
	cname: string;
	codecs: WireCodec[];
	headerExtensions: { uri: string; id: number }[];
	encodings: SendEncoding[];
	reducedSize: boolean;
}

/** RtpReceiver.receive less its transport. */
export interface ReceiveParameters {
	active: boolean;
	mid: string;
	codecs: WireCodec[];
	headerExtensions: { uri: string; id: number }[];
	encodings: { ssrc: number; rtxSsrc?: number }[];
	rids: string[];
	reducedSize: boolean;
}

export interface Layer {
	rid: string;
	paused: boolean;
}

export interface MediaParameters {
	/** As we see it: what both descriptions allow. */
	direction: Direction;
	/** For getParameters(); rtx included. */
	sendCodecs: Codec[];
	receiveCodecs: Codec[];
	send: SendParameters;
	receive: ReceiveParameters;
	/** Streams and track that the remote side announces; none while it does not send. */
	remoteMsids: Msid[];
	/** Simulcast layers that the remote side takes from us, in its order; null when it takes no simulcast. */
	sendRids: Layer[] | null;
	/** Layers that it sends to us; null when it sends no simulcast. */
	receiveRids: Layer[] | null;
	headerExtensions: HeaderExtensionControl[];
}

/**
 * What a pair of sections agreed on. The order of codecs is the answer's.
 * @param answerer whose section is the answer
 */
export function interpretMedia(
	local: Section,
	remote: Section,
	answerer: 'local' | 'remote',
	transceiver: { cname: string; sendEncodings: readonly SendEncoding[] },
): MediaParameters {
	const rejected = local.rejected || remote.rejected;
	const direction = rejected ? 'inactive' : intersectDirections(local.direction, reverseDirection(remote.direction));
	const order = answerer === 'local' ? local.codecs : remote.codecs;
	// Each side says in its own section how it wants to be sent to: payload types, formats and all.
	const sendCodecs = inOrderOf(
		order,
		common(remote.codecs, [...local.codecs, ...(answerer === 'remote' ? unoffered(local) : [])]),
	);
	const receiveCodecs = inOrderOf(order, common(local.codecs, remote.codecs));
	const sendRids = orNull(layersOf(remote, 'recv').filter(({ rid }) => has(layersOf(local, 'send'), rid)));
	const receiveRids = orNull(layersOf(remote, 'send').filter(({ rid }) => has(layersOf(local, 'recv'), rid)));
	const shared = { mid: local.mid, reducedSize: local.rtcpRsize && remote.rtcpRsize };
	return {
		direction,
		sendCodecs,
		receiveCodecs,
		send: {
			...shared,
			active: sends(direction),
			cname: transceiver.cname,
			codecs: sendCodecs.map(toWire),
			headerExtensions: extensions(remote, local),
			encodings: encodingsFor(transceiver.sendEncodings, sendRids, sendCodecs),
		},
		receive: {
			...shared,
			active: receives(direction),
			codecs: receiveCodecs.map(toWire),
			headerExtensions: extensions(local, remote),
			encodings: announcedEncodings(remote, hasRepair(receiveCodecs)),
			rids: receiveRids?.map(({ rid }) => rid) ?? [],
		},
		remoteMsids: remote.rejected || !sends(remote.direction) ? [] : remote.msids,
		sendRids,
		receiveRids,
		headerExtensions: rejected ? [] : negotiatedExtensions(local, remote),
	};
}

/** What we can send although we have not offered it: an answer may ask for it (RFC 9429, section 5.3.1). */
function unoffered(section: Section): Codec[] {
	if (!isMedia(section)) return [];
	return LOCAL_CODECS[section.kind]
		.filter((codec) => !section.codecs.some((offered) => matches(offered, codec)))
		.map((codec) => ({ ...codec, rtcpFeedback: [...codec.rtcpFeedback] }));
}

const has = (layers: readonly Layer[], rid: string): boolean => layers.some((layer) => layer.rid === rid);
const orNull = (layers: Layer[]): Layer[] | null => (layers.length > 0 ? layers : null);

const toWire = ({ mimeType, payloadType, clockRate, channels, sdpFmtpLine, rtcpFeedback }: Codec): WireCodec => ({
	mimeType,
	payloadType,
	clockRate,
	...(channels === undefined ? {} : { channels }),
	parameters: Object.fromEntries(fmtpParameters(sdpFmtpLine)),
	rtcpFeedback,
});

/** The extensions that go to `receiver` from `sender`, by the receiver's ids. */
function extensions(receiver: Section, sender: Section): { uri: string; id: number }[] {
	return receiver.headerExtensions.flatMap(({ uri, id, direction = 'sendrecv' }) => {
		const other = sender.headerExtensions.find((extension) => extension.uri === uri);
		return other && receives(direction) && sends(other.direction ?? 'sendrecv') ? [{ uri, id }] : [];
	});
}

/** What is left of our encodings: all layers that are taken, paused ones inactive, or else the first alone. */
function encodingsFor(
	encodings: readonly SendEncoding[],
	taken: Layer[] | null,
	codecs: readonly Codec[],
): SendEncoding[] {
	const rtx = hasRepair(codecs);
	const repaired = ({ rtxSsrc, ...encoding }: SendEncoding): SendEncoding =>
		rtx && rtxSsrc !== undefined ? { ...encoding, rtxSsrc } : encoding;
	if (taken) {
		return encodings.flatMap((encoding) => {
			const layer = taken.find(({ rid }) => rid === encoding.rid);
			return layer ? [repaired({ ...encoding, active: encoding.active && !layer.paused })] : [];
		});
	}
	return encodings.slice(0, 1).map(({ rid: _, ...encoding }) => repaired(encoding));
}

const hasRepair = (codecs: readonly Codec[]): boolean => codecs.some((codec) => repairs(codec) !== null);

/** Announced SSRCs with those that repair them (RFC 4588, section 8.3), where that was agreed on; FEC is not ours. */
function announcedEncodings({ ssrcs, ssrcGroups }: Section, rtx: boolean): { ssrc: number; rtxSsrc?: number }[] {
	const repairing = new Map<number, number>();
	const secondary = new Set<number>();
	for (const {
		semantics,
		ssrcs: [first, second],
	} of ssrcGroups) {
		if (first === undefined || second === undefined || semantics === 'SIM') continue;
		secondary.add(second);
		if (rtx && semantics === 'FID') repairing.set(first, second);
	}
	return ssrcs
		.filter(({ ssrc }) => !secondary.has(ssrc))
		.map(({ ssrc }) => {
			const rtxSsrc = repairing.get(ssrc);
			return rtxSsrc === undefined ? { ssrc } : { ssrc, rtxSsrc };
		});
}

export interface TransportParameters {
	local: IceCredentials;
	/** Null before a remote description. */
	remote: (IceCredentials & { iceLite: boolean }) | null;
	/** Remote ones. */
	candidates: string[];
	endOfCandidates: boolean;
	/** Null before an answer. */
	dtls: DtlsParameters | null;
}

export interface DtlsParameters {
	/** Ours. */
	role: 'client' | 'server';
	/** The peer's. */
	fingerprints: Fingerprint[];
	/** Names the peer's end of an association, where the peer says it (RFC 8842, section 4). */
	tlsId: string | null;
}

/**
 * Whether parameters speak of another association than those before: of another certificate, or of another tls-id.
 * Role and credentials may change without.
 * @see https://www.rfc-editor.org/rfc/rfc8842#section-5.5
 */
export function isAnotherAssociation(before: DtlsParameters, now: DtlsParameters): boolean {
	const key = ({ algorithm, value }: Fingerprint) => `${algorithm} ${value}`.toUpperCase();
	const known = new Set(before.fingerprints.map(key));
	// Of one certificate a description may give some fingerprints, and others again.
	if (!now.fingerprints.some((fingerprint) => known.has(key(fingerprint)))) return true;
	return before.tlsId !== null && now.tlsId !== null && before.tlsId !== now.tlsId;
}

/**
 * The ICE and DTLS parameters of a section that owns a transport.
 * @param answerer whose section is the answer; null before there is one
 */
export function interpretTransport(
	local: Section,
	remote: Section | null,
	answerer: 'local' | 'remote' | null,
): TransportParameters {
	return {
		local: { usernameFragment: local.iceUfrag ?? '', password: local.icePwd ?? '' },
		remote: remote && {
			usernameFragment: remote.iceUfrag ?? '',
			password: remote.icePwd ?? '',
			iceLite: remote.iceLite,
		},
		candidates: remote?.candidates ?? [],
		endOfCandidates: remote?.endOfCandidates ?? false,
		dtls: remote && answerer && { role: dtlsRole(local, remote, answerer), ...dtlsIdentity(remote) },
	};
}

function dtlsIdentity({ fingerprints, attributes }: Section): Omit<DtlsParameters, 'role'> {
	const tlsId = attributes.find((attribute) => attribute.startsWith('tls-id:'));
	return { fingerprints, tlsId: tlsId?.slice('tls-id:'.length) ?? null };
}

/** The answer's a=setup decides: active is the client. */
function dtlsRole(local: Section, remote: Section, answerer: 'local' | 'remote'): 'client' | 'server' {
	const answer = answerer === 'local' ? local : remote;
	const answererIsClient = (answer.setup ?? 'active') === 'active';
	return answererIsClient === (answerer === 'local') ? 'client' : 'server';
}

export interface SctpParameters {
	/** Ours. */
	port: number;
	remotePort: number;
	/** Bytes that the remote side accepts in one message; 0 is no limit. */
	maxMessageSize: number;
}

/** @see https://www.rfc-editor.org/rfc/rfc8841#section-6.1 for the default */
export const interpretSctp = (local: Section, remote: Section): SctpParameters => ({
	port: local.sctpPort ?? 5000,
	remotePort: remote.sctpPort ?? 5000,
	maxMessageSize: remote.maxMessageSize ?? 65536,
});
