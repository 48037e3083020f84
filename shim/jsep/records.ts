/** What a connection tells negotiation of itself: plain values, made anew for each call. */

import type { CodecCapability } from './capabilities.ts';
import type { Description, Direction, Fingerprint, Kind } from './description.ts';
import type { HeaderExtensionControl } from './headerExtensions.ts';

export interface IceCredentials {
	usernameFragment: string;
	password: string;
}

export interface SendEncoding {
	ssrc: number;
	/** Left out where no retransmission is wanted. */
	rtxSsrc?: number;
	rid?: string;
	active: boolean;
}

export interface TransceiverRecord {
	kind: Kind;
	/** null until a description with it has been applied. */
	mid: string | null;
	/** Index of its m-line, null like mid. */
	mlineIndex: number | null;
	direction: Direction;
	/** stop() was called; the next offer closes its section. */
	stopping: boolean;
	stopped: boolean;
	/** Ids of the sender's streams. */
	streams: string[];
	/** The second part of a=msid: the sender's track id, or a stable random id while it has no track. */
	trackId: string;
	cname: string;
	/** As given to setCodecPreferences; empty is none. */
	codecPreferences: CodecCapability[];
	/** As given to setHeaderExtensionsToNegotiate. */
	headerExtensions: readonly HeaderExtensionControl[];
	/** One without rid, or several with: simulcast. */
	sendEncodings: SendEncoding[];
}

/** The ICE and DTLS transport that a section has now. Sections that share a transport share its record. */
export interface TransportRecord extends IceCredentials {
	/** Gathered so far, each `candidate:…`. */
	candidates: string[];
	endOfCandidates: boolean;
	/** Our role once negotiated; kept as long as the transport lives. */
	dtlsRole: 'client' | 'server' | null;
}

export type BundlePolicy = 'balanced' | 'max-compat' | 'max-bundle';

/** What the section of data channels says of us. */
export interface SctpOffer {
	port: number;
	/** Bytes that we accept in one message; 0 is no limit. */
	maxMessageSize: number;
}

/** What offers and answers both need. */
export interface Input {
	sessionId: string;
	sessionVersion: number;
	transceivers: readonly TransceiverRecord[];
	/** The last local description applied (pending, else current), null before the first. */
	local: Description | null;
	/** The last remote description applied (pending, else current); for an answer it is the offer. */
	remote: Description | null;
	/** By mid: the sections' transports that exist now. */
	transports: ReadonlyMap<string, TransportRecord>;
	/** Of our certificate; sha-256 is offered. */
	fingerprints: readonly Fingerprint[];
	bundlePolicy: BundlePolicy;
	/** Makes ICE credentials for a new or restarted transport. */
	newCredentials: () => IceCredentials;
}

export interface OfferInput extends Input {
	/** createOffer({ iceRestart: true }), or restartIce() before. */
	iceRestart: boolean;
	/** Set once a data channel was made or an association exists; null offers no section for it. */
	sctp: SctpOffer | null;
}

export interface AnswerInput extends Input {
	remote: Description;
	/**
	 * The remote description before this offer (the current one), against which an ICE restart is seen; null at the
	 * first, and once a provisional answer has taken up the restart.
	 */
	previousRemote: Description | null;
	/** How we accept an association, should the offer have one. */
	sctp: SctpOffer;
}

/** Which section stands for which transceiver: `transceiver` indexes Input.transceivers; null is data, or nothing. */
export interface Assignment {
	mlineIndex: number;
	mid: string;
	transceiver: number | null;
}

/** By mid, the mid of the section whose transport a section uses: its own, where it has one. No rejected sections. */
export type TransportOwners = ReadonlyMap<string, string>;

export interface Built {
	description: Description;
	assignments: Assignment[];
	/** Equal credentials do not tell: transports of one description have the same. */
	owners: TransportOwners;
}
