import { checkCodecPreferences, type Direction } from '../jsep/index.ts';
import { sequence } from '../webidl/convert.ts';
import { defineInterface, requireArguments, requireKey } from '../webidl/interface.ts';
import { matchesCodec } from './codecs.ts';
import { toException } from './errors.ts';
import { updateNegotiationNeeded } from './negotiationNeeded.ts';
import type { RTCRtpReceiver } from './RTCRtpReceiver.ts';
import type { RTCRtpSender } from './RTCRtpSender.ts';
import { toCodec } from './rtpParameters.ts';
import type { Transceiver } from './transceiver.ts';

const toCodecs = sequence(toCodec);
const directions: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive', 'stopped'];

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
		if (!directions.includes(direction)) return;
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
}

defineInterface(RTCRtpTransceiver);
