import { type Kind, sends, withSend } from '../jsep/index.ts';
import { MediaStream, MediaStreamTrack } from '../media/index.ts';
import { contextOf } from '../rpc/context.ts';
import {
	boolean,
	callback,
	defaulted,
	dictionary,
	domString,
	enumeration,
	instanceOf,
	nullable,
	optional,
	sequence,
	usvString,
} from '../webidl/convert.ts';
import { defineEventHandlers, eventTargetOf } from '../webidl/eventHandlers.ts';
import { defineInterface, requireArguments } from '../webidl/interface.ts';
import { addIceCandidate } from './candidates.ts';
import { generateCertificate } from './certificate.ts';
import { copyConfiguration, setConfiguration, toConfiguration } from './configuration.ts';
import { Connection } from './connection.ts';
import { createAnswer, createOffer } from './createDescription.ts';
import { createDataChannel, toDataChannelInit } from './dataChannels.ts';
import { applyLegacyOptions } from './legacyOfferOptions.ts';
import { updateNegotiationNeeded } from './negotiationNeeded.ts';
import type { RTCCertificate } from './RTCCertificate.ts';
import type { RTCDataChannel } from './RTCDataChannel.ts';
import { toCandidateInit } from './RTCIceCandidate.ts';
import type { RTCRtpReceiver } from './RTCRtpReceiver.ts';
import { RTCRtpSender, senderOf } from './RTCRtpSender.ts';
import type { RTCRtpTransceiver } from './RTCRtpTransceiver.ts';
import type { RTCSctpTransport } from './RTCSctpTransport.ts';
import { type RTCSessionDescription, sdpType, toDescriptionInit } from './RTCSessionDescription.ts';
import type { RTCStatsReport } from './RTCStatsReport.ts';
import { toEncoding, validateSendEncodings } from './rtpParameters.ts';
import { setLocal, setRemote } from './setDescription.ts';
import { collectStats, selectTrack } from './stats/collect.ts';
import type { Transceiver } from './transceiver.ts';

const toOfferOptions = dictionary({
	iceRestart: defaulted(boolean, () => false),
	offerToReceiveAudio: optional(boolean),
	offerToReceiveVideo: optional(boolean),
});
const toAnswerOptions = dictionary({});
const toLocalDescription = dictionary({ sdp: defaulted(domString, () => ''), type: optional(sdpType) });
const toTrack = instanceOf(MediaStreamTrack);
const toNullableTrack = nullable(toTrack);
const toStream = instanceOf(MediaStream);
const toSender = instanceOf(RTCRtpSender);
const toTransceiverInit = dictionary({
	direction: defaulted(
		enumeration('RTCRtpTransceiverDirection', ['sendrecv', 'sendonly', 'recvonly', 'inactive']),
		() => 'sendrecv' as const,
	),
	sendEncodings: defaulted(sequence(toEncoding), () => []),
	streams: defaulted(sequence(toStream), () => []),
});

type Success<T> = (value: T) => unknown;
type Failure = (error: DOMException) => unknown;
interface TransceiverInit {
	direction?: RTCRtpTransceiverDirection;
	streams?: MediaStream[];
	sendEncodings?: RTCRtpEncodingParameters[];
}

const toSuccess = callback<Success<unknown>>();
const toFailure = callback<Failure>();

/**
 * A connection to a peer: the transports and media are the worker's, the negotiation is done here.
 * @see https://www.w3.org/TR/webrtc/#rtcpeerconnection-interface
 */
export class RTCPeerConnection extends eventTargetOf<RTCPeerConnectionEventMap>() {
	declare onnegotiationneeded: globalThis.RTCPeerConnection['onnegotiationneeded'];
	declare onicecandidate: globalThis.RTCPeerConnection['onicecandidate'];
	declare onicecandidateerror: globalThis.RTCPeerConnection['onicecandidateerror'];
	declare onsignalingstatechange: globalThis.RTCPeerConnection['onsignalingstatechange'];
	declare oniceconnectionstatechange: globalThis.RTCPeerConnection['oniceconnectionstatechange'];
	declare onicegatheringstatechange: globalThis.RTCPeerConnection['onicegatheringstatechange'];
	declare onconnectionstatechange: globalThis.RTCPeerConnection['onconnectionstatechange'];
	declare ontrack: globalThis.RTCPeerConnection['ontrack'];
	declare ondatachannel: globalThis.RTCPeerConnection['ondatachannel'];

	readonly #connection: Connection;

	/**
	 * @throws {TypeError | SyntaxError | InvalidAccessError} the configuration is not one, or a certificate has expired
	 * @see https://www.w3.org/TR/webrtc/#dom-peerconnection
	 */
	constructor(configuration: RTCConfiguration = {}) {
		super();
		const given = setConfiguration(toConfiguration(configuration, 'configuration'), null, false);
		// 5.
		if (given.certificates.some(({ expires }) => expires < Date.now())) {
			throw new DOMException('A certificate has expired', 'InvalidAccessError');
		}
		this.#connection = new Connection(this, contextOf(new.target).session(), given);
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-generatecertificate */
	static generateCertificate(keygenAlgorithm: AlgorithmIdentifier): Promise<RTCCertificate> {
		return promising(() => {
			requireArguments(arguments.length, 1, 'generateCertificate');
			// biome-ignore lint/complexity/noThisInStatic: the class that it was called on says whose shim it is
			const type: unknown = this;
			const context = () => contextOf(typeof type === 'function' ? type : RTCPeerConnection);
			return generateCertificate(() => context().session(), keygenAlgorithm);
		});
	}

	get localDescription(): RTCSessionDescription | null {
		return this.#connection.local?.object ?? null;
	}

	get currentLocalDescription(): RTCSessionDescription | null {
		return this.#connection.currentLocal?.object ?? null;
	}

	get pendingLocalDescription(): RTCSessionDescription | null {
		return this.#connection.pendingLocal?.object ?? null;
	}

	get remoteDescription(): RTCSessionDescription | null {
		return this.#connection.remote?.object ?? null;
	}

	get currentRemoteDescription(): RTCSessionDescription | null {
		return this.#connection.currentRemote?.object ?? null;
	}

	get pendingRemoteDescription(): RTCSessionDescription | null {
		return this.#connection.pendingRemote?.object ?? null;
	}

	get signalingState(): RTCSignalingState {
		return this.#connection.signalingState;
	}

	get iceGatheringState(): RTCIceGatheringState {
		return this.#connection.iceGatheringState;
	}

	get iceConnectionState(): RTCIceConnectionState {
		return this.#connection.iceConnectionState;
	}

	get connectionState(): RTCPeerConnectionState {
		return this.#connection.connectionState;
	}

	/** Whether the peer takes candidates after its description; null before it has given one. */
	get canTrickleIceCandidates(): boolean | null {
		return this.#connection.canTrickle;
	}

	/** The association of the data channels; null until it is negotiated. */
	get sctp(): RTCSctpTransport | null {
		return this.#connection.sctp?.object ?? null;
	}

	createOffer(options?: RTCOfferOptions): Promise<RTCSessionDescriptionInit>;
	createOffer(success: Success<RTCSessionDescriptionInit>, failure: Failure, options?: RTCOfferOptions): Promise<void>;
	/** @see https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-createoffer */
	createOffer(...args: unknown[]): Promise<unknown> {
		if (isLegacy(args, 0)) return withCallbacks(this.createOffer(args[2] as RTCOfferOptions), args[0], args[1]);
		return promising(async () => {
			const { iceRestart, ...legacy } = toOfferOptions(args[0], 'options');
			if (!this.#connection.isClosed) applyLegacyOptions(this.#connection, legacy);
			const { sdp } = await this.#chain(() => createOffer(this.#connection, iceRestart));
			return { type: 'offer' as const, sdp };
		});
	}

	createAnswer(options?: RTCAnswerOptions): Promise<RTCSessionDescriptionInit>;
	createAnswer(success: Success<RTCSessionDescriptionInit>, failure: Failure): Promise<void>;
	/** @see https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-createanswer */
	createAnswer(...args: unknown[]): Promise<unknown> {
		if (isLegacy(args, 0)) return withCallbacks(this.createAnswer(), args[0], args[1]);
		return promising(async () => {
			toAnswerOptions(args[0], 'options');
			const { sdp } = await this.#chain(() => createAnswer(this.#connection));
			return { type: 'answer' as const, sdp };
		});
	}

	setLocalDescription(description?: RTCLocalSessionDescriptionInit): Promise<void>;
	setLocalDescription(
		description: RTCLocalSessionDescriptionInit,
		success: VoidFunction,
		failure: Failure,
	): Promise<void>;
	/** @see https://www.w3.org/TR/webrtc/#dom-peerconnection-setlocaldescription */
	setLocalDescription(...args: unknown[]): Promise<void> {
		if (isLegacy(args, 1)) return withCallbacks(this.setLocalDescription(args[0] as object), args[1], args[2]);
		return promising(() => {
			const description = toLocalDescription(args[0], 'description');
			return this.#chain(() => setLocal(this.#connection, description));
		});
	}

	setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void>;
	setRemoteDescription(description: RTCSessionDescriptionInit, success: VoidFunction, failure: Failure): Promise<void>;
	/** @see https://www.w3.org/TR/webrtc/#dom-peerconnection-setremotedescription */
	setRemoteDescription(init: unknown, ...callbacks: unknown[]): Promise<void> {
		if (isLegacy(callbacks, 0)) {
			return withCallbacks(this.setRemoteDescription(init as RTCSessionDescriptionInit), callbacks[0], callbacks[1]);
		}
		return promising(() => {
			requireArguments(arguments.length, 1, 'setRemoteDescription');
			const description = toDescriptionInit(init, 'description');
			return this.#chain(() => setRemote(this.#connection, description));
		});
	}

	addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void>;
	addIceCandidate(candidate: RTCIceCandidateInit, success: VoidFunction, failure: Failure): Promise<void>;
	/** @see https://www.w3.org/TR/webrtc/#dom-peerconnection-addicecandidate */
	addIceCandidate(...args: unknown[]): Promise<void> {
		if (isLegacy(args, 1)) return withCallbacks(this.addIceCandidate(args[0] as object), args[1], args[2]);
		return promising(() => {
			const candidate = toCandidateInit(args[0], 'candidate');
			// 3.
			if (candidate.candidate !== '' && candidate.sdpMid === null && candidate.sdpMLineIndex === null) {
				throw new TypeError('sdpMid and sdpMLineIndex are both null');
			}
			return this.#chain(() => addIceCandidate(this.#connection, candidate));
		});
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-restartice */
	restartIce(): void {
		const { credentialsToReplace, currentLocal, pendingLocal } = this.#connection;
		if (this.#connection.isClosed) return;
		// 2.
		credentialsToReplace.clear();
		for (const description of [currentLocal, pendingLocal]) {
			for (const { iceUfrag } of description?.description.sections ?? []) {
				if (iceUfrag !== undefined) credentialsToReplace.add(iceUfrag);
			}
		}
		// 3.
		updateNegotiationNeeded(this.#connection);
	}

	getConfiguration(): RTCConfiguration {
		return copyConfiguration(this.#connection.configuration) as unknown as RTCConfiguration;
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-setconfiguration */
	setConfiguration(configuration: RTCConfiguration = {}): void {
		const given = toConfiguration(configuration, 'configuration');
		const connection = this.#connection;
		connection.requireOpen();
		connection.configuration = setConfiguration(given, connection.configuration, connection.local !== null);
	}

	getSenders(): RTCRtpSender[] {
		return this.#live().map(({ sender }) => sender.object);
	}

	getReceivers(): RTCRtpReceiver[] {
		return this.#live().map(({ receiver }) => receiver.object);
	}

	getTransceivers(): RTCRtpTransceiver[] {
		return this.#connection.transceivers.map(({ object }) => object);
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-addtrack */
	addTrack(track: MediaStreamTrack, ...streams: MediaStream[]): RTCRtpSender {
		requireArguments(arguments.length, 1, 'addTrack');
		toTrack(track, 'track');
		for (const stream of streams) toStream(stream, 'stream');
		const connection = this.#connection;
		// 5. – 6.
		connection.requireOpen();
		if (this.#live().some(({ sender }) => sender.track === track)) {
			throw new DOMException('The track is being sent already', 'InvalidAccessError');
		}
		// 7. – 13.
		const kind = track.kind as Kind;
		const free = this.#live().find((each) => isFree(each, kind));
		const transceiver =
			free ?? connection.addTransceiver({ kind, origin: 'addTrack', direction: 'sendrecv', track, streams });
		if (free) reuse(free, track, streams);
		// 15. – 16.
		updateNegotiationNeeded(connection);
		return transceiver.sender.object;
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-removetrack */
	removeTrack(sender: RTCRtpSender): void {
		requireArguments(arguments.length, 1, 'removeTrack');
		const connection = this.#connection;
		const slots = senderOf(toSender(sender, 'sender'));
		// 3. – 4.
		connection.requireOpen();
		if (slots.connection !== connection) {
			throw new DOMException('The sender is of another connection', 'InvalidAccessError');
		}
		// 5. – 9.
		const { transceiver } = slots;
		if (transceiver.stopping || !this.#live().includes(transceiver) || !slots.track) return;
		// 10. – 12.
		slots.setTrack(null);
		transceiver.direction = withSend(transceiver.direction, false);
		// 13.
		updateNegotiationNeeded(connection);
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-addtransceiver */
	addTransceiver(trackOrKind: MediaStreamTrack | string, init: TransceiverInit = {}): RTCRtpTransceiver {
		requireArguments(arguments.length, 1, 'addTransceiver');
		const track = trackOrKind instanceof MediaStreamTrack ? trackOrKind : null;
		const kind = track ? track.kind : domString(trackOrKind, 'kind');
		const { direction, streams, sendEncodings } = toTransceiverInit(init, 'init');
		// 5.
		if (kind !== 'audio' && kind !== 'video') throw new TypeError(`'${kind}' is neither 'audio' nor 'video'`);
		// 7. – 8.
		this.#connection.requireOpen();
		const encodings = validateSendEncodings(kind, sendEncodings);
		// 9. – 14.
		const transceiver = this.#connection.addTransceiver({
			kind,
			origin: 'addTransceiver',
			direction,
			track,
			streams,
			encodings,
		});
		updateNegotiationNeeded(this.#connection);
		return transceiver.object;
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-peerconnection-createdatachannel */
	createDataChannel(label: string, dataChannelDict: RTCDataChannelInit = {}): RTCDataChannel {
		requireArguments(arguments.length, 1, 'createDataChannel');
		const name = usvString(label, 'label');
		const init = toDataChannelInit(dataChannelDict, 'dataChannelDict');
		this.#connection.requireOpen();
		return createDataChannel(this.#connection, name, init).object;
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-getstats */
	getStats(selector: MediaStreamTrack | null = null): Promise<RTCStatsReport> {
		return promising(() => {
			const track = toNullableTrack(selector, 'selector');
			return collectStats(this.#connection, track && selectTrack(this.#connection, track));
		});
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-close */
	close(): void {
		this.#connection.close();
	}

	#chain<T>(operation: () => Promise<T>): Promise<T> {
		return this.#connection.operations.chain(operation);
	}

	#live(): Transceiver[] {
		return this.#connection.transceivers.filter(({ stopped }) => !stopped);
	}
}

/** Whether addTrack() may use the transceiver's sender. */
function isFree({ sender, kind, stopping, hasSent }: Transceiver, wanted: Kind): boolean {
	return sender.track === null && kind === wanted && !stopping && !hasSent;
}

/** Step 12 of addTrack(). */
function reuse(transceiver: Transceiver, track: MediaStreamTrack, streams: readonly MediaStream[]): void {
	const { sender, direction } = transceiver;
	sender.setTrack(track);
	sender.setStreams(streams);
	transceiver.hadTrack = true;
	if (!sends(direction)) transceiver.direction = withSend(direction, true);
}

/** As Web IDL has it for operations that give a promise: what they throw rejects it. */
function promising<T>(operation: () => Promise<T>): Promise<T> {
	try {
		return operation();
	} catch (error) {
		return Promise.reject(error);
	}
}

/** @see https://www.w3.org/TR/webrtc/#legacy-interface-extensions */
function isLegacy(args: readonly unknown[], callbacksAt: number): boolean {
	return args.length >= callbacksAt + 2 && typeof args[callbacksAt] === 'function';
}

function withCallbacks(result: Promise<unknown>, success: unknown, failure: unknown): Promise<void> {
	return promising(() => {
		result.then(toSuccess(success, 'successCallback'), toFailure(failure, 'failureCallback'));
		return Promise.resolve();
	});
}

defineInterface(RTCPeerConnection);
defineEventHandlers(RTCPeerConnection, [
	'negotiationneeded',
	'icecandidate',
	'icecandidateerror',
	'signalingstatechange',
	'iceconnectionstatechange',
	'icegatheringstatechange',
	'connectionstatechange',
	'track',
	'datachannel',
]);
