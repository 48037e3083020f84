/** What a local and a remote section agreed on, as the worker's objects take it (docs/protocol.md). */

import type { Codec, Description, Direction, Fingerprint, Msid, RtcpFeedback, Section } from './description.ts';
import type { IceCredentials, SendEncoding } from './records.ts';

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
	sendRids: { rid: string; paused: boolean }[] | null;
	/** Layers that it sends to us. */
	receiveRids: { rid: string; paused: boolean }[] | null;
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
	throw new Error(local.mid + remote.mid + answerer + transceiver.cname);
}

export interface TransportParameters {
	local: IceCredentials;
	/** Null before the remote description gives them. */
	remote: (IceCredentials & { iceLite: boolean }) | null;
	candidates: string[];
	endOfCandidates: boolean;
	/** Null before an answer. */
	dtls: { role: 'client' | 'server'; fingerprints: Fingerprint[] } | null;
}

/** The ICE and DTLS parameters of a section that owns a transport. */
export function interpretTransport(
	local: Section,
	remote: Section | null,
	answerer: 'local' | 'remote' | null,
): TransportParameters {
	throw new Error(local.mid + remote?.mid + answerer);
}

export interface SctpParameters {
	/** Ours. */
	port: number;
	remotePort: number;
	/** What the remote side accepts in one message; 0 is no limit. */
	maxMessageSize: number;
}

export function interpretSctp(local: Section, remote: Section): SctpParameters {
	throw new Error(local.mid + remote.mid);
}

/**
 * By mid, the mid of the section whose transport it uses (itself, when it owns one); rejected sections are absent.
 * With `answer` (the other half of the pair, from either side) BUNDLE decides; without, a local offer's sections share
 * where they have equal ICE credentials.
 */
export function transportOwners(local: Description, answer: Description | null): Map<string, string> {
	throw new Error(local.sessionId + answer?.sessionId);
}
