/**
 * A session description as values: what the parser gives and the writer takes.
 * @see https://www.rfc-editor.org/rfc/rfc8866
 * @see https://www.rfc-editor.org/rfc/rfc9429
 */

export type Kind = 'audio' | 'video';
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
export type Setup = 'active' | 'passive' | 'actpass' | 'holdconn';

export interface RtcpFeedback {
	type: string;
	parameter?: string;
}

/** A codec with its payload type in one section; rtx is a codec whose parameters name `apt`. */
export interface Codec {
	mimeType: string;
	payloadType: number;
	clockRate: number;
	channels?: number;
	/** The fmtp line as written: what is between the payload type and the line's end. */
	sdpFmtpLine?: string;
	rtcpFeedback: RtcpFeedback[];
}

export interface HeaderExtension {
	id: number;
	uri: string;
	direction?: Direction;
}

export interface Fingerprint {
	algorithm: string;
	value: string;
}

export interface SsrcGroup {
	semantics: string;
	ssrcs: number[];
}

export interface Msid {
	/** The stream's id; '-' is none. */
	stream: string;
	track?: string;
}

export interface Rid {
	rid: string;
	direction: 'send' | 'recv';
	/** Restrictions as written, such as `max-width=1280`. */
	params?: string;
}

export interface Bandwidth {
	type: string;
	limit: number;
}

export interface Section {
	/** What the m= line says; a kind that we do not know can only be rejected. */
	kind: Kind | 'application' | (string & {});
	/** '' when the description gives none (then the remote side knows no BUNDLE). */
	mid: string;
	/** Port 0 and not bundle-only. */
	rejected: boolean;
	bundleOnly: boolean;
	port: number;
	protocol: string;
	/** The m= line's last part as written: payload types, or `webrtc-datachannel`. Kept for what we reject. */
	formats: string[];
	/** Address of the c= line. */
	address: string;
	bandwidth: Bandwidth[];
	direction: Direction;
	iceUfrag?: string;
	icePwd?: string;
	iceLite: boolean;
	iceOptions: string[];
	fingerprints: Fingerprint[];
	setup?: Setup;
	/** Each `candidate:…`, without the `a=`. */
	candidates: string[];
	endOfCandidates: boolean;
	/** Audio and video. */
	codecs: Codec[];
	headerExtensions: HeaderExtension[];
	extmapAllowMixed: boolean;
	rtcpMux: boolean;
	rtcpRsize: boolean;
	msids: Msid[];
	/** In order; cname where a line said it. */
	ssrcs: { ssrc: number; cname?: string; msid?: string }[];
	ssrcGroups: SsrcGroup[];
	rids: Rid[];
	/** Rids in order, `~` marking the paused ones, `,` between alternatives. */
	simulcast?: { send?: string[]; recv?: string[] };
	/** Application. */
	sctpPort?: number;
	maxMessageSize?: number;
	/** Attributes that we do not interpret, as written, without the `a=`. */
	attributes: string[];
}

export interface Description {
	sessionId: string;
	sessionVersion: number;
	/** Each group's mids; the first is the tag, whose transport the others share. */
	bundle: string[][];
	sections: Section[];
	/** Session-level attributes that we do not interpret. */
	attributes: string[];
}

export type SdpType = 'offer' | 'pranswer' | 'answer';
