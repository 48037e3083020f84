/** A session description as values: what the parser gives and the writer takes. */

export type Kind = 'audio' | 'video';
export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

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

export interface Section {
	kind: Kind | 'application';
	mid: string;
	/** Port 0 and not bundle-only. */
	rejected: boolean;
	bundleOnly: boolean;
	port: number;
	protocol: string;
	direction: Direction;
	iceUfrag?: string;
	icePwd?: string;
	iceLite: boolean;
	iceOptions: string[];
	fingerprints: Fingerprint[];
	setup?: 'active' | 'passive' | 'actpass' | 'holdconn';
	/** Each `candidate:…`, without the `a=`. */
	candidates: string[];
	endOfCandidates: boolean;
	/** Audio and video. */
	codecs: Codec[];
	headerExtensions: HeaderExtension[];
	extmapAllowMixed: boolean;
	rtcpMux: boolean;
	rtcpRsize: boolean;
	/** Stream and track of each a=msid; a stream of '-' is none. */
	msids: { stream: string; track?: string }[];
	/** In order; cname where a line said it. */
	ssrcs: { ssrc: number; cname?: string }[];
	ssrcGroups: SsrcGroup[];
	rids: { rid: string; direction: 'send' | 'recv' }[];
	/** Rids in order, `~` marking the paused ones. */
	simulcast?: { send?: string[]; recv?: string[] };
	/** Application. */
	sctpPort?: number;
	maxMessageSize?: number;
}

export interface Description {
	sessionId: string;
	sessionVersion: number;
	bundle: string[][];
	sections: Section[];
}
