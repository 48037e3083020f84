import type { Kind } from '../jsep/index.ts';
import { endRemoteTrack, type MediaStream, type MediaStreamTrack } from '../media/index.ts';
import { uuid } from '../media/uuid.ts';
import type { Scope } from '../rpc/Scope.ts';
import type { Session } from '../rpc/Session.ts';
import type { EventOut } from '../rpc/types.ts';
import { queueTask } from '../webidl/task.ts';
import type { AppliedDescription, Created } from './appliedDescription.ts';
import { surfaceCandidate, surfaceCandidateError, surfaceGathering } from './candidates.ts';
import { type Certificate, createCertificate, openCertificate } from './certificate.ts';
import type { Configuration } from './configuration.ts';
import { connectionState, iceConnectionState, iceGatheringState } from './connectionStates.ts';
import type { DataChannel } from './dataChannel.ts';
import { acceptChannel, openChannels } from './dataChannels.ts';
import { invalidState } from './errors.ts';
import { updateNegotiationNeeded } from './negotiationNeeded.ts';
import { OperationsChain } from './operationsChain.ts';
import { certificateOf } from './RTCCertificate.ts';
import { randomCname, randomSessionId } from './random.ts';
import { Receiver } from './receiver.ts';
import type { EncodingParameters } from './rtpParameters.ts';
import type { SctpState } from './sctp.ts';
import { Sender } from './sender.ts';
import { type Origin, Transceiver } from './transceiver.ts';
import type { Transport } from './transport.ts';

/** Where the worker's and the peer's reports come in, and the state that they change. */
export class Connection {
	readonly target: EventTarget;
	readonly session: Session;
	/** Ends with the connection, and with it all that the worker has of it. */
	readonly scope: Scope;
	configuration: Configuration;
	readonly cname = randomCname();
	/** Of a=o: one a connection; the version rises with each description that is made. */
	readonly sdpSessionId = randomSessionId();
	sdpVersion = 1;

	isClosed = false;
	signalingState: RTCSignalingState = 'stable';
	iceConnectionState: RTCIceConnectionState = 'new';
	iceGatheringState: RTCIceGatheringState = 'new';
	connectionState: RTCPeerConnectionState = 'new';

	readonly operations: OperationsChain;
	negotiationNeeded = false;
	updateNegotiationNeededOnEmptyChain = false;
	/** setParameters() calls that are under way: descriptions wait for them. */
	readonly #settings = new Set<Promise<void>>();

	currentLocal: AppliedDescription | null = null;
	pendingLocal: AppliedDescription | null = null;
	currentRemote: AppliedDescription | null = null;
	pendingRemote: AppliedDescription | null = null;
	lastOffer: Created | null = null;
	lastAnswer: Created | null = null;
	/** Username fragments that the next offer must not have. */
	readonly credentialsToReplace = new Set<string>();
	canTrickle: boolean | null = null;

	transceivers: Transceiver[] = [];
	/** By mid: the transports of the sections that have one now, and as it was when last stable. */
	transports = new Map<string, Transport>();
	stableTransports = new Map<string, Transport>();
	/** Every transport that was made and not closed, whatever description made it. */
	readonly openTransports = new Set<Transport>();
	/** Of the stream of sections whose description names none. */
	readonly defaultStreamId = uuid();
	/** Streams of the peer, by id. */
	readonly remoteStreams = new Map<string, MediaStream>();

	sctp: SctpState | null = null;
	stableSctp: SctpState | null = null;
	createdDataChannel = false;
	/** For the statistics. */
	channelsOpened = 0;
	channelsClosed = 0;
	readonly dataChannels = new Set<DataChannel>();
	/** By stream identifier: taken until the channel is closed on both sides. */
	readonly streams = new Map<number, DataChannel>();

	#certificate: Certificate | null = null;
	#certificateMade: Promise<Certificate> | null = null;
	/** Set when the session, or something that the connection cannot do without, is gone. */
	#lost: Error | null = null;
	readonly #release: () => void;

	constructor(target: EventTarget, session: Session, configuration: Configuration) {
		this.target = target;
		this.session = session;
		this.configuration = configuration;
		this.scope = session.scope.child();
		this.scope.weight = 1;
		this.#release = this.scope.hold();
		this.operations = new OperationsChain(this, () => this.#chainEmpty());
		const [given] = configuration.certificates;
		if (given) this.#takeCertificate(openCertificate(this.scope, certificateOf(given)));
		else this.#makeCertificate();
	}

	get local(): AppliedDescription | null {
		return this.pendingLocal ?? this.currentLocal;
	}

	get remote(): AppliedDescription | null {
		return this.pendingRemote ?? this.currentRemote;
	}

	get maxMessageSize(): number {
		return this.sctp?.maxMessageSize ?? Number.POSITIVE_INFINITY;
	}

	/** Null until certificate() has resolved. */
	get readyCertificate(): Certificate | null {
		return this.#certificate;
	}

	/** @throws {InvalidStateError} the connection is closed */
	requireOpen(): void {
		if (this.isClosed) throw invalidState('The connection is closed');
	}

	/** The certificate, made ahead when the connection was. */
	async certificate(): Promise<Certificate> {
		this.#certificate ??= await this.#certificateMade!;
		return this.#certificate;
	}

	/** Fires events that carry nothing, in order. */
	fire(events: readonly string[]): void {
		for (const event of events) {
			if (!this.isClosed) this.target.dispatchEvent(new Event(event));
		}
	}

	/** Makes a transceiver with its sender and receiver, and adds it. */
	addTransceiver(init: {
		kind: Kind;
		origin: Origin;
		direction: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
		track?: MediaStreamTrack | null;
		streams?: readonly MediaStream[];
		encodings?: readonly EncodingParameters[];
	}): Transceiver {
		const { kind, origin, direction, track = null, streams = [], encodings = [] } = init;
		const scope = this.scope.child();
		const sender = new Sender(this, scope, kind, track, streams, encodings);
		const receiver = new Receiver(this, scope, kind);
		const transceiver = new Transceiver(this, scope, sender, receiver, direction, origin);
		this.transceivers.push(transceiver);
		return transceiver;
	}

	/** Runs a setParameters(), which descriptions are to wait for. */
	async settingParameters(work: () => Promise<void>): Promise<void> {
		const running = work();
		this.#settings.add(running);
		try {
			await running;
		} finally {
			this.#settings.delete(running);
		}
	}

	/** Resolves when no setParameters() is under way; what they throw is their callers'. */
	async parametersSet(): Promise<void> {
		if (this.#settings.size > 0) await Promise.allSettled(this.#settings);
	}

	/** Recomputes the three states of the transports; the names of the events that are owed. */
	deriveStates(): string[] {
		if (this.isClosed) return [];
		const transports = [...this.#referenced()];
		const before = [this.iceGatheringState, this.iceConnectionState, this.connectionState];
		this.iceGatheringState = iceGatheringState(transports.map(({ ice }) => ice.gatheringState));
		this.iceConnectionState = this.#lost ? 'failed' : iceConnectionState(transports.map(({ ice }) => ice.state));
		this.connectionState = connectionState(
			this.iceConnectionState,
			transports.map(({ dtls }) => dtls.state),
		);
		const after = [this.iceGatheringState, this.iceConnectionState, this.connectionState];
		const names = ['icegatheringstatechange', 'iceconnectionstatechange', 'connectionstatechange'];
		return names.filter((_, index) => before[index] !== after[index]);
	}

	candidateFound(transport: Transport, found: EventOut<'IceTransport', 'candidate'>): void {
		if (!this.isClosed) surfaceCandidate(this, transport, found);
	}

	candidateFailed(transport: Transport, failed: EventOut<'IceTransport', 'candidateerror'>): void {
		if (!this.isClosed) surfaceCandidateError(this, transport, failed);
	}

	gatheringChanged(transport: Transport, state: RTCIceGathererState): void {
		if (!this.isClosed && !transport.isClosed) surfaceGathering(this, transport, state);
	}

	channelOffered(offered: EventOut<'SctpTransport', 'datachannel'>): void {
		if (!this.isClosed) acceptChannel(this, offered);
	}

	sctpConnected(): void {
		openChannels(this);
	}

	channelOpened(): void {
		this.channelsOpened += 1;
	}

	/** Closing: no more of pages' channels, though its identifier is still taken. */
	removeChannel(channel: DataChannel): void {
		this.dataChannels.delete(channel);
		if (channel.wasOpen && channel.readyState === 'closed') this.channelsClosed += 1;
		if (channel.readyState === 'closed' && channel.id !== null) this.streams.delete(channel.id);
	}

	/** A sender cannot send. The API has no event for it, and the rest of the connection goes on. */
	senderFailed(sender: Sender, message: string): void {
		if (this.isClosed || this.session.failure || sender.transceiver.stopping) return;
		const record = {
			level: 'warn',
			source: 'shim',
			kind: 'sender-failed',
			message: `RTCRtpSender ${sender.transceiver.mid ?? ''}: ${message}`,
		} as const;
		this.session.log(record);
	}

	/** The session is lost, or what the connection cannot do without was refused: everything of it fails, once. */
	transportLost(error: Error): void {
		if (this.isClosed || this.#lost) return;
		this.#lost = error;
		for (const transport of this.#referenced()) transport.fail();
		this.fire(this.deriveStates());
		for (const { receiver } of this.transceivers) endRemoteTrack(receiver.track);
		for (const channel of new Set([...this.dataChannels, ...this.streams.values()])) {
			channel.closed({ errorDetail: 'sctp-failure', message: error.message });
		}
		this.sctp?.close(false);
		this.#release();
	}

	/** @see https://www.w3.org/TR/webrtc/#dfn-close-the-connection */
	close(): void {
		// 1. – 3.
		if (this.isClosed) return;
		this.isClosed = true;
		this.signalingState = 'closed';
		// 4.
		for (const transceiver of this.transceivers) if (!transceiver.stopped) transceiver.stop();
		// 5. – 9. The scope has the order: the association is aborted before its channels end, which the peer is told.
		const transports = [...this.openTransports];
		this.scope.dispose();
		this.#closeSctp();
		for (const channel of new Set([...this.dataChannels, ...this.streams.values()])) channel.abandon();
		for (const transport of transports) transport.connectionClosed();
		// 10. – 11.
		this.iceConnectionState = 'closed';
		this.connectionState = 'closed';
	}

	/** Of all that a closing connection ends, browsers announce this. */
	#closeSctp(): void {
		const { sctp } = this;
		if (!sctp) return;
		// The peer may have ended it: then pages know, but the worker's object is there still.
		const isOver = sctp.state === 'closed';
		sctp.close(true);
		if (!isOver) queueTask(() => sctp.object.dispatchEvent(new Event('statechange')));
	}

	#makeCertificate(): void {
		this.#certificateMade = createCertificate(this.scope, 'ECDSA');
		this.#certificateMade.then(
			(certificate) => this.#takeCertificate(certificate),
			(error: Error) => this.transportLost(error),
		);
	}

	#takeCertificate(certificate: Certificate): void {
		const { remote } = certificate;
		this.#certificate = certificate;
		remote.onlost = (error) => this.transportLost(error);
		remote.on('error', ({ name, message }) => this.transportLost(new DOMException(message, name)));
	}

	/** Transports that transceivers and data channels use, which the states are made of. */
	#referenced(): Set<Transport> {
		const used = this.transceivers.map(({ sender }) => sender.transport);
		return new Set([...used, this.sctp?.transport].filter((transport) => transport != null));
	}

	#chainEmpty(): void {
		if (!this.updateNegotiationNeededOnEmptyChain) return;
		this.updateNegotiationNeededOnEmptyChain = false;
		updateNegotiationNeeded(this);
	}
}
