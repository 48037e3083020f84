import { checkCodecPreferences, checkExtensions, type Direction, type HeaderExtensionControl } from '../jsep/index.ts';
import { dictionary, domString, enumeration, required, sequence } from '../webidl/convert.ts';
import { defineInterface, requireArguments, requireKey } from '../webidl/interface.ts';
import { matchesCodec } from './codecs.ts';
import { toException } from './errors.ts';
import { updateNegotiationNeeded } from './negotiationNeeded.ts';
import type { RTCRtpReceiver } from './RTCRtpReceiver.ts';
import type { RTCRtpSender } from './RTCRtpSender.ts';
import { toCodec } from './rtpParameters.ts';
import type { Transceiver } from './transceiver.ts';

const toCodecs = sequence(toCodec);
const directions = ['sendrecv', 'sendonly', 'recvonly', 'inactive', 'stopped'] as const;
const toExtensions = sequence(
	dictionary({ direction: required(enumeration('RTCRtpTransceiverDirection', directions)), uri: required(domString) }),
);

/**
 * A sender and a receiver that share a section of the descriptions.
 * @see https://www.w3.org/TR/webrtc/#rtcrtptransceiver-interface
 */
export class RTCRtpTransceiver {
	readonly #transceiver: Transceiver;

	constructor(key: unknown = undefined, transceiver?: Transceiver) {
		requireKey(key);
		this.#transceiver = transceiver!;
	}

	get mid(): string | null {
		return this.#transceiver.mid;
	}

	get sender(): RTCRtpSender {
		return this.#transceiver.sender.object;
	}

	get receiver(): RTCRtpReceiver {
		return this.#transceiver.receiver.object;
	}

	/** What is wished for, and negotiated next. */
	get direction(): RTCRtpTransceiverDirection {
		return this.#transceiver.stopping ? 'stopped' : this.#transceiver.direction;
	}

	/**
	 * @throws {InvalidStateError} the transceiver is being stopped
	 * @throws {TypeError} the direction is 'stopped', which stop() is for
	 * @see https://www.w3.org/TR/webrtc/#dom-rtcrtptransceiver-direction
	 */
	set direction(value: RTCRtpTransceiverDirection) {
		const transceiver = this.#transceiver;
		const direction = `${value}`;
		// An attribute whose type is an enumeration ignores what is no value of it.
		if (!directions.some((known) => known === direction)) return;
		if (transceiver.stopping) throw new DOMException('The transceiver is stopped', 'InvalidStateError');
		if (direction === transceiver.direction) return;
		if (direction === 'stopped') throw new TypeError("direction cannot be set to 'stopped'; call stop()");
		transceiver.direction = direction as Direction;
		updateNegotiationNeeded(transceiver.connection);
	}

	/** What was negotiated last; null before that, 'stopped' afterwards. */
	get currentDirection(): RTCRtpTransceiverDirection | null {
		return this.#transceiver.stopped ? 'stopped' : this.#transceiver.currentDirection;
	}

	/** Whether currentDirection is 'stopped': what there was before that, and what older applications ask. */
	get stopped(): boolean {
		return this.#transceiver.stopped;
	}

	/**
	 * Ends sending and receiving for good; the next negotiation closes the section.
	 *
	 * @throws {InvalidStateError} the connection is closed
	 * @see https://www.w3.org/TR/webrtc/#dom-rtcrtptransceiver-stop
	 */
	stop(): void {
		const transceiver = this.#transceiver;
		// 3. – 4.
		transceiver.connection.requireOpen();
		if (transceiver.stopping) return;
		// 5. – 6.
		transceiver.stopSendingAndReceiving();
		updateNegotiationNeeded(transceiver.connection);
	}

	/**
	 * Says which codecs to negotiate, best first; none is the default order of all.
	 *
	 * @throws {InvalidModificationError} a codec is not one of getCapabilities(), or none of them carries media
	 * @see https://www.w3.org/TR/webrtc/#dom-rtcrtptransceiver-setcodecpreferences
	 */
	setCodecPreferences(codecs: Iterable<RTCRtpCodec>): void {
		requireArguments(arguments.length, 1, 'setCodecPreferences');
		const given = toCodecs(codecs, 'codecs');
		// 4.
		const unique = given.filter((codec, index) => given.findIndex((other) => matchesCodec(codec, other)) === index);
		// 3., 5. – 8.
		const problem = unique.length > 0 ? checkCodecPreferences(this.#transceiver.kind, unique) : null;
		if (problem) throw toException(problem);
		// 9.
		this.#transceiver.preferredCodecs = unique;
	}

	/**
	 * The header extensions to negotiate, each with its direction: what setHeaderExtensionsToNegotiate() may change.
	 * @see https://w3c.github.io/webrtc-extensions/#dom-rtcrtptransceiver-getheaderextensionstonegotiate
	 */
	getHeaderExtensionsToNegotiate(): HeaderExtensionControl[] {
		return this.#transceiver.headerExtensions.map((each) => ({ ...each }));
	}

	/**
	 * Says which header extensions to negotiate from the next description on, and in which direction.
	 *
	 * @param extensions those that getHeaderExtensionsToNegotiate() gives, in their order; 'stopped' leaves one out
	 * @throws {TypeError} a uri is empty
	 * @throws {InvalidModificationError} one is missing, added or moved, or a mandatory one is not 'sendrecv'
	 * @see https://w3c.github.io/webrtc-extensions/#dom-rtcrtptransceiver-setheaderextensionstonegotiate
	 */
	setHeaderExtensionsToNegotiate(extensions: Iterable<HeaderExtensionControl>): void {
		requireArguments(arguments.length, 1, 'setHeaderExtensionsToNegotiate');
		const given = toExtensions(extensions, 'extensions');
		if (given.some(({ uri }) => uri === '')) throw new TypeError('a header extension has no uri');
		const problem = checkExtensions(given, this.#transceiver.headerExtensions);
		if (problem) throw toException(problem);
		this.#transceiver.headerExtensions = given;
	}

	/**
	 * What was negotiated last of the same extensions; 'stopped' what was not.
	 * @see https://w3c.github.io/webrtc-extensions/#dom-rtcrtptransceiver-getnegotiatedheaderextensions
	 */
	getNegotiatedHeaderExtensions(): HeaderExtensionControl[] {
		const { headerExtensions, negotiatedExtensions } = this.#transceiver;
		const negotiated = new Map(negotiatedExtensions.map(({ uri, direction }) => [uri, direction]));
		return headerExtensions.map(({ uri }) => ({ uri, direction: negotiated.get(uri) ?? 'stopped' }));
	}
}

defineInterface(RTCRtpTransceiver);
