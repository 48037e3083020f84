/** The objects of the protocol. Generated from the worker's structs by `npm run generate`: do not edit. */

/** No fields. */
export type Empty = Record<string, never>;

/** A failure as the shim rethrows it. */
export interface ErrorInfo {
	/** A DOMException name, or TypeError or RangeError. */
	name: string;
	message: string;
}

/** An object of the session; the shim mints it. */
export type ObjectId = number;

/** What is alive in a session. */
export interface Dump {
	/** Objects by type. */
	objects: Record<string, number>;
	tasks: number;
	threads: number;
}

export interface Fingerprint {
	algorithm: string;
	value: string;
}

export interface IceServer {
	urls: string[];
	username?: string | null;
	credential?: string | null;
}

export interface CandidatePair {
	local: string;
	remote: string;
}

/** Raw counters; the shim builds RTCStatsReport of them. */
export type Counters = Record<string, unknown>;

export interface RtcpFeedback {
	type: string;
	parameter?: string | null;
}

export interface Codec {
	mimeType: string;
	payloadType: number;
	clockRate: number;
	channels?: number | null;
	parameters: Record<string, string>;
	rtcpFeedback: RtcpFeedback[];
}

export interface HeaderExtension {
	uri: string;
	id: number;
}

export interface SendEncoding {
	ssrc: number;
	rtxSsrc?: number | null;
	rid?: string | null;
	active: boolean;
	maxBitrate?: number | null;
	maxFramerate?: number | null;
	scaleResolutionDownBy?: number | null;
	payloadType?: number | null;
}

export interface ReceiveEncoding {
	ssrc: number;
	rtxSsrc?: number | null;
}

export interface AudioConstraints {
	sampleRate?: number | null;
	channelCount?: number | null;
	frequency?: number | null;
}

export interface VideoConstraints {
	width?: number | null;
	height?: number | null;
	frameRate?: number | null;
	/** A number burnt into the test picture, beside its frame counter. */
	code?: number | null;
}

export interface RtpSource {
	source: number;
	/** Milliseconds since the epoch. */
	timestamp: number;
	rtpTimestamp: number;
	audioLevel?: number | null;
}

export interface SctpError {
	errorDetail: string;
	message: string;
	sctpCauseCode?: number | null;
}

/** The objects by type: what makes one, its calls, its events. */
export interface Objects {
	Session: {
		in: Empty;
		calls: { dump: { in: Empty; out: Dump }; ping: { in: Empty; out: Empty } };
		events: { error: ErrorInfo };
	};
	Certificate: {
		in: { algorithm: 'ECDSA' | 'RSA'; expires?: number | null };
		calls: Record<never, never>;
		events: {
			error: ErrorInfo;
			ready: { fingerprints: Fingerprint[]; expires: number; pem?: string | null };
		};
	};
	IceTransport: {
		in: {
			usernameFragment: string;
			password: string;
			iceServers: IceServer[];
			iceTransportPolicy: 'all' | 'relay';
			role: 'controlling' | 'controlled';
		};
		calls: {
			gather: { in: Empty; out: Empty };
			setRole: { in: { role: 'controlling' | 'controlled' }; out: Empty };
			start: { in: { usernameFragment: string; password: string; iceLite?: boolean }; out: Empty };
			addRemoteCandidate: {
				in: { candidate?: string | null; usernameFragment?: string | null };
				out: Empty;
			};
			restart: { in: { usernameFragment: string; password: string }; out: Empty };
			setConfiguration: { in: { iceServers: IceServer[]; iceTransportPolicy: 'all' | 'relay' }; out: Empty };
			stop: { in: Empty; out: Empty };
			getStats: { in: Empty; out: Counters };
		};
		events: {
			error: ErrorInfo;
			gatheringstatechange: { state: 'new' | 'gathering' | 'complete' };
			candidate: { candidate: string; usernameFragment: string; url?: string | null };
			candidateerror: {
				address?: string | null;
				port?: number | null;
				url: string;
				errorCode: number;
				errorText: string;
			};
			statechange: {
				state: 'new' | 'checking' | 'connected' | 'completed' | 'disconnected' | 'failed' | 'closed';
				selectedPair?: CandidatePair | null;
			};
			selectedpairchange: { selectedPair: CandidatePair };
		};
	};
	DtlsTransport: {
		in: { ice: ObjectId; certificate: ObjectId };
		calls: {
			start: { in: { role: 'client' | 'server'; fingerprints: Fingerprint[] }; out: Empty };
			stop: { in: Empty; out: Empty };
			getStats: { in: Empty; out: Counters };
		};
		events: {
			error: ErrorInfo;
			statechange: {
				state: 'new' | 'connecting' | 'connected' | 'closed' | 'failed';
				/** Base64 of DER. */
				remoteCertificates?: string[] | null;
				error?: { errorDetail: string; message: string } | null;
			};
		};
	};
	SctpTransport: {
		in: { dtls: ObjectId; port?: number };
		calls: {
			start: { in: { remotePort: number; maxMessageSize: number }; out: Empty };
			stop: { in: Empty; out: Empty };
			getStats: { in: Empty; out: Counters };
		};
		events: {
			error: ErrorInfo;
			statechange: { state: 'connecting' | 'connected' | 'closed'; maxChannels?: number | null };
			datachannel: {
				streamId: number;
				label: string;
				protocol: string;
				ordered: boolean;
				maxRetransmits?: number | null;
				maxPacketLifeTime?: number | null;
			};
		};
	};
	DataChannel: {
		in: {
			transport: ObjectId;
			label: string;
			protocol?: string;
			ordered?: boolean;
			maxRetransmits?: number | null;
			maxPacketLifeTime?: number | null;
			negotiated?: boolean;
			streamId?: number | null;
			accept?: boolean;
		};
		calls: { close: { in: Empty; out: Empty }; getStats: { in: Empty; out: Counters } };
		events: {
			error: ErrorInfo;
			open: { streamId: number };
			closing: Empty;
			close: { error?: SctpError | null };
		};
	};
	MediaSource: {
		in: {
			type: 'test' | 'file' | 'url' | 'device' | 'frames';
			source?: string | null;
			loop?: boolean;
			audio?: AudioConstraints | null;
			video?: VideoConstraints | null;
		};
		calls: {
			open: {
				in: Empty;
				out: {
					audio?: { sampleRate: number; channelCount: number } | null;
					video?: { width: number; height: number; frameRate: number } | null;
				};
			};
		};
		events: { error: ErrorInfo; ended: Empty };
	};
	Track: {
		in: { source: ObjectId; kind: 'audio' | 'video' };
		calls: { setEnabled: { in: { enabled: boolean }; out: Empty }; stop: { in: Empty; out: Empty } };
		events: { error: ErrorInfo; mute: Empty; unmute: Empty; ended: Empty };
	};
	FrameReader: {
		in: { track: ObjectId };
		calls: Record<never, never>;
		events: { error: ErrorInfo; ended: Empty };
	};
	FrameWriter: {
		in: { source: ObjectId };
		calls: Record<never, never>;
		events: { error: ErrorInfo };
	};
	RtpSender: {
		in: { kind: 'audio' | 'video'; track?: ObjectId | null };
		calls: {
			send: {
				in: {
					transport: ObjectId;
					active: boolean;
					mid: string;
					cname: string;
					codecs: Codec[];
					headerExtensions: HeaderExtension[];
					encodings: SendEncoding[];
					reducedSize: boolean;
				};
				out: Empty;
			};
			replaceTrack: { in: { track?: ObjectId | null }; out: Empty };
			getStats: { in: Empty; out: Counters };
			stop: { in: Empty; out: Empty };
		};
		events: { error: ErrorInfo };
	};
	RtpReceiver: {
		in: { kind: 'audio' | 'video' };
		calls: {
			receive: {
				in: {
					transport: ObjectId;
					active: boolean;
					mid: string;
					codecs: Codec[];
					headerExtensions: HeaderExtension[];
					encodings: ReceiveEncoding[];
					rids: string[];
					reducedSize: boolean;
				};
				out: Empty;
			};
			getStats: { in: Empty; out: Counters };
			watchSources: { in: Empty; out: Empty };
			stop: { in: Empty; out: Empty };
		};
		events: {
			error: ErrorInfo;
			mute: Empty;
			unmute: Empty;
			sources: { contributing: RtpSource[]; synchronization: RtpSource[] };
		};
	};
}
