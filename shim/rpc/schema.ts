/** The objects of the protocol. Generated from the worker's structs by `npm run generate`: do not edit. */

import type { Remote } from './Remote.ts';

/** No fields. */
export type Empty = Record<string, never>;

/** What is alive in a session. */
export interface Dump {
	/** By type. */
	objects: Record<string, number>;
	/** Of these objects. */
	tasks: number;
	/** Of the whole worker. */
	threads: number;
	/** By name: what is held or spent of each, and how often that was not enough. */
	quotas: Record<string, Usage>;
}

/** How a quota is used. */
export interface Usage {
	limit: number;
	/** Held now; of a rate, spent in all. */
	used: number;
	/** How often something was refused, dropped or kept waiting. */
	refused: number;
}

/** A failure as the shim rethrows it. */
export interface ErrorInfo {
	/** A DOMException name, or TypeError or RangeError. */
	name: string;
	message: string;
}

/** What the program's author should hear, and no object's failure says. */
export interface SessionWarning {
	message: string;
}

/** RTCPeerConnection.generateCertificate's choices. */
export interface CertificateIn {
	/** ECDSA on P-256, or RSASSA-PKCS1-v1_5 of 2048 bits; SHA-256 both. */
	algorithm?: 'ECDSA' | 'RSA';
	/** Milliseconds since the epoch; at most 365 days ahead, which is where a later time ends. */
	expires?: number | null;
	/** What seal() gave in whatever session of this token: the same certificate and key, in place of new ones. */
	sealed?: string | null;
}

/** A certificate with its key, for another session of the same token. */
export interface Sealed {
	/** Base64; what is in it only workers of this bridge can read. */
	sealed: string;
}

/** What the shim may know of a certificate. */
export interface CertificateReady {
	fingerprints: Fingerprint[];
	/** Milliseconds since the epoch. */
	expires: number;
	/** The certificate, without its key, which leaves the worker only sealed. */
	pem: string;
}

/** An RTCDtlsFingerprint. */
export interface Fingerprint {
	algorithm: string;
	/** Pairs of upper-case hexadecimal digits, joined by colons. */
	value: string;
}

/** The local credentials are the shim's, which has written them into its description. */
export interface IceTransportIn {
	usernameFragment: string;
	password: string;
	role: 'controlled' | 'controlling';
	iceServers?: IceServer[];
	iceTransportPolicy?: 'all' | 'relay';
}

/** An RTCIceServer. */
export interface IceServer {
	urls: string[];
	username?: string | null;
	credential?: string | null;
}

/** The role to have from now on. */
export interface RoleChange {
	role: 'controlled' | 'controlling';
}

/** The peer's user name fragment and password. */
export interface RemoteParameters {
	usernameFragment: string;
	password: string;
	iceLite?: boolean;
}

/** A candidate of the peer; null is the end of its candidates. */
export interface RemoteCandidate {
	candidate?: string | null;
	/** Of the generation that it belongs to; without it, to the newest. */
	usernameFragment?: string | null;
}

/** The local user name fragment and password of a generation. */
export interface Credentials {
	usernameFragment: string;
	password: string;
}

/** What the next gathering goes by. */
export interface Configuration {
	iceServers?: IceServer[];
	iceTransportPolicy?: 'all' | 'relay';
}

/** Counters since the transport was made. */
export interface IceStats {
	state: 'checking' | 'closed' | 'completed' | 'connected' | 'disconnected' | 'failed' | 'new';
	role: 'controlled' | 'controlling';
	usernameFragment: string;
	localCandidates: string[];
	remoteCandidates: string[];
	selectedPair: CandidatePair | null;
	selectedPairChanges: number;
	packetsSent: number;
	bytesSent: number;
	/** Datagrams that had no pair to go by. */
	packetsDiscardedOnSend: number;
	packetsReceived: number;
	bytesReceived: number;
	/** Datagrams from peers for which the inbox had no room. */
	packetsDropped: number;
	/** Datagrams that were empty, malformed, or of somebody who passed no check. */
	strangers: number;
	responsesReceived: number;
	/** Seconds. */
	currentRoundTripTime: number | null;
	totalRoundTripTime: number;
}

/** Two values of SDP candidate attributes. */
export interface CandidatePair {
	local: string;
	remote: string;
}

/** A state of RTCIceGathererState. */
export interface GatheringStateChange {
	state: 'complete' | 'gathering' | 'new';
}

/** A local candidate. */
export interface CandidateFound {
	/** The value of an SDP candidate attribute, `candidate:…`. */
	candidate: string;
	/** Of the generation that it belongs to. */
	usernameFragment: string;
	/** The server that gave it. */
	url?: string | null;
}

/** A server, or an address of the machine, that gave no candidate. */
export interface CandidateError {
	/** Empty for a host candidate. */
	url: string;
	errorCode: number;
	errorText: string;
	address?: string | null;
	port?: number | null;
}

/** A state, with the pair that made it true. */
export interface StateChange {
	state: 'checking' | 'closed' | 'completed' | 'connected' | 'disconnected' | 'failed' | 'new';
	selectedPair?: CandidatePair | null;
}

/** Another pair carries the traffic now. */
export interface SelectedPairChange {
	selectedPair: CandidatePair;
}

/** What it runs over, and as whom. */
export interface DtlsTransportIn {
	ice: Remote<'IceTransport'>;
	certificate: Remote<'Certificate'>;
}

/** What the descriptions have settled. */
export interface DtlsParameters {
	/** Ours. */
	role: 'client' | 'server';
	/** The peer's. */
	fingerprints: Fingerprint[];
}

/** What was negotiated. The counters of bytes are the ICE transport's. */
export interface DtlsStats {
	state: 'closed' | 'connected' | 'connecting' | 'failed' | 'new';
	role: 'client' | 'server' | null;
	tlsVersion: string | null;
	dtlsCipher: string | null;
	srtpCipher: string | null;
	remoteCertificates: string[];
}

/** A state of RTCDtlsTransportState. */
export interface DtlsStateChange {
	state: 'closed' | 'connected' | 'connecting' | 'failed' | 'new';
	/** Base64 of DER, when connected. */
	remoteCertificates?: string[] | null;
	error?: DtlsError | null;
}

/** Why a transport failed. */
export interface DtlsError {
	/** An RTCErrorDetailType: `dtls-failure` or `fingerprint-failure`. */
	errorDetail: string;
	message: string;
}

/** What it runs over. */
export interface SctpTransportIn {
	dtls: Remote<'DtlsTransport'>;
	port?: number;
}

/** What the peer's description has. */
export interface SctpParameters {
	remotePort: number;
	/** Bytes; 0 is no limit. */
	maxMessageSize: number;
}

/** What an association runs over. */
export interface SctpPath {
	dtls: Remote<'DtlsTransport'>;
}

/** What the association goes by. */
export interface SctpStats {
	state: 'closed' | 'connected' | 'connecting';
	/** Seconds. */
	smoothedRoundTripTime: number | null;
	congestionWindow: number;
	receiverWindow: number;
	mtu: number;
	/** Bytes. */
	unackedData: number;
}

/** A state of RTCSctpTransportState. */
export interface SctpStateChange {
	state: 'closed' | 'connected' | 'connecting';
	maxChannels?: number | null;
}

/** A channel that the peer has opened. */
export interface ChannelOffered {
	streamId: number;
	label: string;
	protocol: string;
	ordered: boolean;
	maxRetransmits?: number | null;
	maxPacketLifeTime?: number | null;
}

/** As createDataChannel has it, or as the peer has opened it. */
export interface DataChannelIn {
	transport: Remote<'SctpTransport'>;
	/** At most 65535 bytes of UTF-8; so is `protocol`. */
	label?: string;
	protocol?: string;
	ordered?: boolean;
	maxRetransmits?: number | null;
	/** Milliseconds. */
	maxPacketLifeTime?: number | null;
	negotiated?: boolean;
	/** 0 to 65534; needed when negotiated or accepted, and else chosen here unless the shim has. */
	streamId?: number | null;
	/** Whether the peer has opened it: `datachannel` has told. */
	accept?: boolean;
}

/** Counters since the channel was made. */
export interface DataChannelStats {
	messagesSent: number;
	bytesSent: number;
	messagesReceived: number;
	bytesReceived: number;
}

/** Bytes can flow. */
export interface ChannelOpened {
	streamId: number;
}

/** The channel is over; with an error, unless somebody closed it. */
export interface ChannelClosed {
	error?: ChannelError | null;
}

/** An RTCError of a channel. */
export interface ChannelError {
	errorDetail: string;
	message: string;
	sctpCauseCode?: number | null;
}

export interface MediaSourceIn {
	type: 'device' | 'file' | 'frames' | 'test' | 'url';
	/** A path or file: URL, an http(s) URL, or a device. */
	source?: string | null;
	/** Whether a file begins again at its end. */
	loop?: boolean;
	/** Given when there is to be audio. */
	audio?: AudioConstraints | null;
	/** Given when there is to be video. */
	video?: VideoConstraints | null;
}

/** What is left out is the source's own choice. */
export interface AudioConstraints {
	sampleRate?: number | null;
	channelCount?: number | null;
	/** Of the test tone, in Hz. */
	frequency?: number | null;
}

/** What is left out is the source's own choice. */
export interface VideoConstraints {
	width?: number | null;
	height?: number | null;
	frameRate?: number | null;
	/** Burnt into the test picture beside its frame counter. */
	code?: number | null;
}

/** What an open source gives, of the kinds that were asked for. */
export interface Opened {
	audio?: AudioSettings | null;
	video?: VideoSettings | null;
}

export interface AudioSettings {
	sampleRate: number;
	channelCount: number;
}

export interface VideoSettings {
	width: number;
	height: number;
	frameRate: number;
}

export interface TrackIn {
	source: Remote<'MediaSource'> | Remote<'RtpReceiver'>;
	kind: 'audio' | 'video';
}

export interface Enabled {
	enabled: boolean;
}

export interface FrameReaderIn {
	track: Remote<'Track'>;
	/** Of the pictures. */
	format?: 'BGRA' | 'BGRX' | 'I420' | 'I420A' | 'NV12' | 'RGBA' | 'RGBX';
}

export interface FrameConverterIn {
	/** What the picture is turned into. */
	format: 'BGRA' | 'BGRX' | 'I420' | 'I420A' | 'NV12' | 'RGBA' | 'RGBX';
	/** Of the YUV that it is in, or is turned into. */
	matrix?: 'bt2020-ncl' | 'bt470bg' | 'bt709' | 'rgb' | 'smpte170m';
	/** As `matrix`. */
	fullRange?: boolean;
}

export interface FrameWriterIn {
	source: Remote<'MediaSource'>;
}

/** Whether somebody consumes the source. */
export interface Demand {
	demanded: boolean;
}

export interface RtpSenderIn {
	kind: 'audio' | 'video';
	track?: Remote<'Track'> | null;
}

/** What to send, and how; the same for every call of `send`. */
export interface SendParameters {
	transport: Remote<'DtlsTransport'>;
	active: boolean;
	mid: string;
	cname: string;
	codecs: Codec[];
	headerExtensions: HeaderExtension[];
	encodings: Encoding[];
	reducedSize?: boolean;
}

/** A payload type; `video/rtx` names the one it repairs in `apt`. */
export interface Codec {
	mimeType: string;
	payloadType: number;
	clockRate: number;
	channels?: number | null;
	parameters?: Record<string, string>;
	rtcpFeedback?: RtcpFeedback[];
}

/** An `a=rtcp-fb` line (RFC 4585, section 4.2). */
export interface RtcpFeedback {
	type: string;
	parameter?: string | null;
}

/** An `a=extmap` line (RFC 8285). */
export interface HeaderExtension {
	uri: string;
	id: number;
}

/** An RTCRtpEncodingParameters with the SSRCs that the shim minted for it. */
export interface Encoding {
	ssrc: number;
	rtxSsrc?: number | null;
	rid?: string | null;
	active?: boolean;
	/** Bits per second. */
	maxBitrate?: number | null;
	maxFramerate?: number | null;
	scaleResolutionDownBy?: number | null;
	/** One of `codecs`; the first when absent. */
	payloadType?: number | null;
}

/** Another source, or none. */
export interface ReplaceTrack {
	track?: Remote<'Track'> | null;
}

/** A DTMF tone. */
export interface PlayTone {
	tone: string;
	/** Milliseconds. */
	duration: number;
}

/** An RtpSender's counters. */
export interface SenderStats {
	streams: OutboundStats[];
	/** Of its transport, when feedback told it. */
	availableOutgoingBitrate: number | null;
}

/** A stream that is sent: outbound-rtp. */
export interface OutboundStats {
	ssrc: number;
	rtxSsrc: number | null;
	rid: string | null;
	active: boolean;
	payloadType: number;
	packetsSent: number;
	bytesSent: number;
	headerBytesSent: number;
	retransmittedPacketsSent: number;
	retransmittedBytesSent: number;
	nackCount: number;
	pliCount: number;
	firCount: number;
	framesEncoded: number;
	keyFramesEncoded: number;
	framesSent: number;
	frameWidth: number;
	frameHeight: number;
	/** Pictures encoded in the last second. */
	framesPerSecond: number;
	/** none, cpu or bandwidth. */
	qualityLimitationReason: string;
	/** Seconds for each reason. */
	qualityLimitationDurations: Record<string, number>;
	/** Pictures get another size only when the application wants it. */
	qualityLimitationResolutionChanges: number;
	targetBitrate: number;
	/** Seconds on a thread of the executor. */
	totalEncodeTime: number;
	remote: RemoteInboundStats | null;
}

/** What the receiver of a stream reported: remote-inbound-rtp. */
export interface RemoteInboundStats {
	packetsLost: number;
	fractionLost: number;
	/** Seconds. */
	jitter: number;
	/** Seconds. */
	roundTripTime: number | null;
	totalRoundTripTime: number;
	roundTripTimeMeasurements: number;
}

export interface RtpReceiverIn {
	kind: 'audio' | 'video';
}

/** What to receive, and how; the same for every call of `receive`. */
export interface ReceiveParameters {
	transport: Remote<'DtlsTransport'>;
	active: boolean;
	mid: string;
	codecs: Codec[];
	headerExtensions: HeaderExtension[];
	encodings?: DecodedEncoding[];
	/** Layers that the peer may send under this MID; the first is played. */
	rids?: string[];
	reducedSize?: boolean;
}

/** A stream that the remote description announces. */
export interface DecodedEncoding {
	ssrc: number;
	rtxSsrc?: number | null;
}

/** How long frames shall be held back. */
export interface JitterBufferTarget {
	/** 0 to 4000; None for as short as the path allows, which is what 0 is, too. */
	milliseconds?: number | null;
}

/** An RtpReceiver's counters. */
export interface ReceiverStats {
	streams: InboundStats[];
}

/** A stream that is received: inbound-rtp. */
export interface InboundStats {
	ssrc: number;
	rtxSsrc: number | null;
	rid: string | null;
	mid: string;
	payloadType: number;
	packetsReceived: number;
	bytesReceived: number;
	headerBytesReceived: number;
	packetsLost: number;
	packetsDiscarded: number;
	/** Seconds. */
	jitter: number;
	/** Milliseconds since the Unix epoch. */
	lastPacketReceivedTimestamp: number | null;
	retransmittedPacketsReceived: number;
	retransmittedBytesReceived: number;
	nackCount: number;
	pliCount: number;
	firCount: number;
	framesReceived: number;
	framesDecoded: number;
	/** Pictures decoded in the last second. */
	framesPerSecond: number;
	keyFramesDecoded: number;
	framesDropped: number;
	frameWidth: number;
	frameHeight: number;
	/** Seconds for which whole frames were held back, of each picture or each sample. */
	jitterBufferDelay: number;
	jitterBufferTargetDelay: number;
	/** Pictures, or samples of sound. */
	jitterBufferEmittedCount: number;
	totalDecodeTime: number;
	/** Of all sound that was given out, whatever it was made of. */
	totalSamplesReceived: number;
	concealedSamples: number;
	silentConcealedSamples: number;
	concealmentEvents: number;
	insertedSamplesForDeceleration: number;
	removedSamplesForAcceleration: number;
	/** 0 to 1, of the last packet that told it. */
	audioLevel: number | null;
	remote: RemoteOutboundStats | null;
}

/** What the sender of a stream reported: remote-outbound-rtp. */
export interface RemoteOutboundStats {
	packetsSent: number;
	bytesSent: number;
	/** Milliseconds since the Unix epoch, of the sender's clock. */
	remoteTimestamp: number;
	/** When it came, by ours. */
	timestamp: number;
	reportsSent: number;
}

/** The sources of the last ten seconds. */
export interface SourcesEvent {
	contributing: RtpSource[];
	synchronization: RtpSource[];
}

/** An RTCRtpContributingSource or an RTCRtpSynchronizationSource. */
export interface RtpSource {
	source: number;
	/** Milliseconds since the last packet. */
	age: number;
	rtpTimestamp: number;
	/** 0 to 1. */
	audioLevel?: number | null;
}

export interface VideoHeader {
	/** Microseconds. */
	timestamp: number;
	format: 'BGRA' | 'BGRX' | 'I420' | 'I420A' | 'NV12' | 'RGBA' | 'RGBX';
	width: number;
	height: number;
	/** Microseconds. */
	duration?: number | null;
	rotation?: number;
}

export interface AudioHeader {
	/** Microseconds. */
	timestamp: number;
	format: 'f32' | 'f32-planar' | 's16' | 's16-planar' | 's32' | 's32-planar' | 'u8' | 'u8-planar';
	sampleRate: number;
	numberOfChannels: number;
	numberOfFrames: number;
}

/** The objects by type: what makes one, its calls, its events. */
export interface Objects {
	/** The session itself, object 0. */
	Session: {
		in: Empty;
		calls: {
			/** Counts what is alive. */
			dump: { in: Empty; out: Dump };
			/** Answers. */
			ping: { in: Empty; out: Empty };
		};
		events: {
			error: ErrorInfo;
			warning: SessionWarning;
		};
	};
	/** A key and a self-signed certificate; `ready` follows at once for ECDSA, and after some 100 ms for RSA. */
	Certificate: {
		in: CertificateIn;
		calls: {
			/** The certificate and its key, sealed; InvalidStateError before `ready`. */
			seal: { in: Empty; out: Sealed };
		};
		events: {
			error: ErrorInfo;
			ready: CertificateReady;
		};
	};
	/**
	 * An ICE transport; one for all that a bundle carries.
	 *
	 * aiortc's DTLS wants of it `role`, `state`, `_recv` and `_send`. These two never raise while the path is gone, only
	 * when the transport is closed: everything above would close with them, and could not come back after a restart.
	 */
	IceTransport: {
		in: IceTransportIn;
		calls: {
			/** Gathers candidates of the newest generation, once. */
			gather: { in: Empty; out: Empty };
			/** Takes a role; the checks repair it if the peer has the same. */
			setRole: { in: RoleChange; out: Empty };
			/**
			 * Begins the checks; with other values, without a `restart` of ours, anew over the same sockets.
			 *
			 * So does a peer that was replaced by another, which answers an offer that restarts nothing.
			 */
			start: { in: RemoteParameters; out: Empty };
			/**
			 * Takes a candidate of the peer, of any kind: one that is of no use (TCP, unresolvable) is passed over.
			 *
			 * Raises OperationError when it cannot be parsed.
			 */
			addRemoteCandidate: { in: RemoteCandidate; out: Empty };
			/** Makes a new generation beside the one that carries the traffic until the new one can. */
			restart: { in: Credentials; out: Empty };
			/** Changes what the next gathering goes by. */
			setConfiguration: { in: Configuration; out: Empty };
			/** Closes the transport and its sockets. */
			stop: { in: Empty; out: Empty };
			/** The transport's counters. */
			getStats: { in: Empty; out: IceStats };
		};
		events: {
			error: ErrorInfo;
			gatheringstatechange: GatheringStateChange;
			candidate: CandidateFound;
			candidateerror: CandidateError;
			statechange: StateChange;
			selectedpairchange: SelectedPairChange;
		};
	};
	/**
	 * A DTLS transport; the handshake begins when `start` was called and ICE has connected.
	 *
	 * Called again, `start` replaces the association by one with another peer: the state is `new` once more.
	 */
	DtlsTransport: {
		in: DtlsTransportIn;
		calls: {
			/**
			 * Begins the handshake as soon as there is a path; called again, with the peer that has come instead.
			 *
			 * @see https://www.rfc-editor.org/rfc/rfc8842#section-5.5
			 */
			start: { in: DtlsParameters; out: Empty };
			/** Sends close_notify; what runs over the transport is over. */
			stop: { in: Empty; out: Empty };
			/**
			 * Stops without close_notify, where descriptions end the transport.
			 *
			 * The peer, who may not have read ours yet, would take the end of what goes on elsewhere for the end of all.
			 */
			leave: { in: Empty; out: Empty };
			/** What was negotiated. */
			getStats: { in: Empty; out: DtlsStats };
		};
		events: {
			error: ErrorInfo;
			statechange: DtlsStateChange;
		};
	};
	/** One association at a time. It begins when `start` was called and DTLS has connected, and anew when DTLS does. */
	SctpTransport: {
		in: SctpTransportIn;
		calls: {
			/** Begins the association as soon as there is DTLS; called again, takes the new limit of messages. */
			start: { in: SctpParameters; out: Empty };
			/** Goes on over another DTLS transport to the same peer, as when sections are bundled that were not. */
			move: { in: SctpPath; out: Empty };
			/** Aborts the association; its channels close without an error. */
			stop: { in: Empty; out: Empty };
			/** What the association goes by. */
			getStats: { in: Empty; out: SctpStats };
		};
		events: {
			error: ErrorInfo;
			statechange: SctpStateChange;
			datachannel: ChannelOffered;
		};
	};
	/** A data channel of an SCTP transport. */
	DataChannel: {
		in: DataChannelIn;
		calls: {
			/**
			 * Resets the outgoing stream when all messages are sent; `close` follows when the peer has reset its own.
			 *
			 * @see https://www.rfc-editor.org/rfc/rfc8831#section-6.7
			 */
			close: { in: Empty; out: Empty };
			/** The channel's counters. */
			getStats: { in: Empty; out: DataChannelStats };
		};
		events: {
			error: ErrorInfo;
			open: ChannelOpened;
			closing: Empty;
			close: ChannelClosed;
		};
	};
	/** One or two kinds of media of one origin, in sync; the tracks of the shim that share it name it. */
	MediaSource: {
		in: MediaSourceIn;
		calls: {
			/**
			 * Acquires the source; its settings are the answer.
			 *
			 * Raises CallError: NotFoundError when the file or device does not exist or has nothing of a kind,
			 * NotReadableError when it cannot be read or decoded, or when the session has no share left for it.
			 */
			open: { in: Empty; out: Opened };
		};
		events: {
			error: ErrorInfo;
			ended: Empty;
		};
	};
	/**
	 * A Source that forwards another one's frames while somebody consumes them.
	 *
	 * Its source ends when the media does, which `ended` says; stop() and the drop of the track end only the track.
	 */
	Track: {
		in: TrackIn;
		calls: {
			/** From the next frame on: the source's, or black and silence at its pace. */
			setEnabled: { in: Enabled; out: Empty };
			/** Ends the track for its consumers; its source goes on for others. */
			stop: { in: Empty; out: Empty };
		};
		events: {
			error: ErrorInfo;
			ended: Empty;
		};
	};
	/**
	 * Sends a track's frames, one for each credit, to the shim's MediaStreamTrackProcessor.
	 *
	 * Without credit the latest picture is kept, and audio up to MAX_AUDIO. However much credit there is, what waits and
	 * what the link has not taken count towards the session's `heldBytes`; a frame beyond them is dropped. The track is
	 * consumed from the first credit on, and until there was none for IDLE seconds, so that nothing is decoded for a
	 * processor that nobody reads.
	 */
	FrameReader: {
		in: FrameReaderIn;
		calls: Record<never, never>;
		events: {
			error: ErrorInfo;
			ended: Empty;
		};
	};
	/** Gives a picture back in another format, for the shim's VideoFrame.copyTo: one record in, one out. */
	FrameConverter: {
		in: FrameConverterIn;
		calls: Record<never, never>;
		events: {
			error: ErrorInfo;
		};
	};
	/**
	 * Feeds a MediaSource of type 'frames' with what the shim's MediaStreamTrackGenerator is given.
	 *
	 * Pictures are seen as they come, sound at the pace at which it is heard (WrittenSound). Both are turned into what
	 * encoders take here. While nobody consumes the source, no credit is given, and the picture that came last is kept:
	 * it may be the only one for long.
	 */
	FrameWriter: {
		in: FrameWriterIn;
		calls: {
			/** Drops what was written and is not seen or heard yet. */
			reset: { in: Empty; out: Empty };
		};
		events: {
			error: ErrorInfo;
			demand: Demand;
		};
	};
	/**
	 * Sends what a track gives, until it is told to stop; no fault of the track ends it.
	 *
	 * @see https://www.w3.org/TR/webrtc/#rtcrtpsender-interface
	 */
	RtpSender: {
		in: RtpSenderIn;
		calls: {
			/** Sends by `params` from now on. InvalidStateError after stop, NotSupportedError without a codec of ours. */
			send: { in: SendParameters; out: Empty };
			/** Sends another track, or nothing, on the same streams; TypeError for one of the other kind. */
			replaceTrack: { in: ReplaceTrack; out: Empty };
			/** Begins a tone, after the one before. InvalidStateError unless a stream and a codec for events are there. */
			playTone: { in: PlayTone; out: Empty };
			/** The counters of every encoding. */
			getStats: { in: Empty; out: SenderStats };
			/** Ends the streams with a BYE; irreversible. */
			stop: { in: Empty; out: Empty };
		};
		events: {
			error: ErrorInfo;
		};
	};
	/**
	 * A Source of the frames that arrive; it decodes only while it is attached.
	 *
	 * @see https://www.w3.org/TR/webrtc/#rtcrtpreceiver-interface
	 */
	RtpReceiver: {
		in: RtpReceiverIn;
		calls: {
			/** Receives by `params` from now on; InvalidStateError after stop, NotFoundError without the transport. */
			receive: { in: ReceiveParameters; out: Empty };
			/** The counters of every stream. */
			getStats: { in: Empty; out: ReceiverStats };
			/** Holds frames back from now on. TypeError outside 0 to 4000. */
			setJitterBufferTarget: { in: JitterBufferTarget; out: Empty };
			/** Sends `sources` events ten times a second from now on, where it has sent one now and then. */
			watchSources: { in: Empty; out: Empty };
			/** Ends the receiver and, for its consumers, the source; irreversible. */
			stop: { in: Empty; out: Empty };
		};
		events: {
			error: ErrorInfo;
			mute: Empty;
			unmute: Empty;
			sources: SourcesEvent;
		};
	};
}

/** Objects that end together end in this order. */
export const closeOrder: Record<keyof Objects, number> = {
	Session: 0,
	Certificate: 55,
	IceTransport: 50,
	DtlsTransport: 40,
	SctpTransport: 20,
	DataChannel: 30,
	MediaSource: 65,
	Track: 60,
	FrameReader: 55,
	FrameConverter: 55,
	FrameWriter: 55,
	RtpSender: 10,
	RtpReceiver: 10,
};
