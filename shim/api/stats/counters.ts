/** What the worker's getStats calls give: named as in webrtc-stats, less what the shim knows itself. */

export interface IceCounters {
	role: 'controlling' | 'controlled';
	usernameFragment: string;
	localCandidates: string[];
	remoteCandidates: string[];
	selectedPair: { local: string; remote: string } | null;
	selectedPairChanges: number;
	packetsSent: number;
	bytesSent: number;
	packetsDiscardedOnSend: number;
	packetsReceived: number;
	bytesReceived: number;
	responsesReceived: number;
	currentRoundTripTime: number | null;
	totalRoundTripTime: number;
}

export interface DtlsCounters {
	role: 'client' | 'server' | null;
	tlsVersion: string | null;
	dtlsCipher: string | null;
	srtpCipher: string | null;
	/** Base64 of DER. */
	remoteCertificates: string[];
}

export interface DataChannelCounters {
	messagesSent: number;
	bytesSent: number;
	messagesReceived: number;
	bytesReceived: number;
}

/** The members that outbound-rtp and inbound-rtp entries share with the worker's counters by name. */
export interface StreamCounters {
	ssrc: number;
	rtxSsrc?: number | null;
	rid?: string | null;
	payloadType: number;
	remote: RemoteCounters | null;
	[counter: string]: unknown;
}

export interface RemoteCounters {
	timestamp?: number;
	[counter: string]: unknown;
}

export interface SenderCounters {
	streams: StreamCounters[];
	availableOutgoingBitrate: number | null;
}

export interface ReceiverCounters {
	streams: StreamCounters[];
}
