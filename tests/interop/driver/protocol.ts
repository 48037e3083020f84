/**
 * What the driver asks of an end of a connection: of the shim's in this process and, as lines of JSON, of a peer's.
 *
 * An ask is `{ "id": 1, "do": "offer", … }`, its answer `{ "id": 1, … }` or `{ "id": 1, "error": "…" }`. By itself an
 * end says `{ "event": "ready", "version": "…" }` once, and `{ "event": "candidate", "candidate": … }` as it gathers.
 */

export interface Asks {
	/** Makes a connection; `lite` makes it an ICE-lite end. */
	open: { in: { lite?: boolean }; out: object };
	/** Applies an offer of its own and gives it; `restart` asks for new ICE credentials. */
	offer: { in: { restart?: boolean }; out: { sdp: string } };
	/** Applies an offer, rolling back an own one that is pending, and answers it. */
	answer: { in: { sdp: string }; out: { sdp: string } };
	accept: { in: { sdp: string }; out: object };
	/** null says that there are no more. */
	candidate: { in: { candidate: RTCIceCandidateInit | null }; out: object };
	channel: { in: { label: string }; out: object };
	/** Sends a text or, in base64, bytes. */
	send: { in: { label: string; text?: string; base64?: string }; out: object };
	/** Sends `count` messages of `bytes` as fast as the channel takes them, and answers when the last is handed over. */
	flood: { in: { label: string; count: number; bytes: number }; out: object };
	/** Sends a tone or a moving picture, from the next description on. */
	media: { in: { kind: Kind; codec?: VideoCodec }; out: object };
	/** Sends none of that kind any more, from the next description on. */
	unmedia: { in: { kind: Kind }; out: object };
	report: { in: object; out: Report };
	close: { in: object; out: object };
}

/** What is asked of a peer that is a whole room, with a server between the shim's connections. */
export interface RoomAsks {
	room: { in: { what: 'data' | 'audio' | 'vp8' | 'h264' | 'reconnect' }; out: { figure: string } };
}

export type Kind = 'audio' | 'video';
export type VideoCodec = 'VP8' | 'H264';

/** A message that came. */
export interface Message {
	readonly label: string;
	readonly type: 'text' | 'binary';
	readonly bytes: number;
	/** SHA-256 of its bytes, hexadecimal. */
	readonly digest: string;
}

/** What an end knows of its connection; what it has no way to know is left out. */
export interface Report {
	/** RTCPeerConnectionState. */
	connection: string;
	/** RTCDataChannelState by label. */
	channels: Record<string, string>;
	/** All that came, but for those of channels named "flood". */
	messages: Message[];
	/** What came on a channel named "flood". */
	flood: { count: number; bytes: number };
	/** The largest message that the other end takes, in bytes. */
	maxMessageSize?: number;
	/** By the end's own statistics: packets of audio, frames of video. */
	sent: { audio?: number; video?: number };
	received: { audio?: number; video?: number };
	/** What it decoded. */
	heard?: Heard;
	seen?: Seen;
	/** Of an end without decoders: files with what it received, as media/media.py reads them. */
	recordings?: { audio?: string; video?: string; codec?: string };
	/** Of the candidates in use, when the end tells: "host", "srflx", "prflx", "relay". */
	localCandidateType?: string;
}

export interface Heard {
	/** Of sound so far. */
	seconds: number;
	/** Root mean square of what came last, 0 to 1. */
	level: number;
	/** Of a tone in it, in Hz. */
	frequency?: number;
}

export interface Seen {
	frames: number;
	/** Of those, how many differ from the one before. */
	moving?: number;
	width: number;
	height: number;
}

export type Events =
	| { event: 'ready'; version: string }
	| { event: 'candidate'; candidate: RTCIceCandidateInit | null };

/** One end of a connection. */
export interface End {
	ask<A extends keyof Asks>(what: A, params: Asks[A]['in']): Promise<Asks[A]['out']>;
	oncandidate: (candidate: RTCIceCandidateInit | null) => void;
}

/** How an end in TypeScript does what it is asked. */
export type Does = { [A in keyof Asks]: (params: Asks[A]['in']) => Promise<Asks[A]['out']> };

/** Hz of the tones that the two ends send. */
export const TONES = { shim: 660, peer: 440 };
