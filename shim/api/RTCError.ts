import { dictionary, domString, enumeration, long, optional, required, unsignedLong } from '../webidl/convert.ts';
import { defineInterface, requireArguments } from '../webidl/interface.ts';

const errorDetails = [
	'data-channel-failure',
	'dtls-failure',
	'fingerprint-failure',
	'hardware-encoder-error',
	'hardware-encoder-not-available',
	'sctp-failure',
	'sdp-syntax-error',
] as const;

const toInit = dictionary({
	errorDetail: required(enumeration('RTCErrorDetailType', errorDetails)),
	receivedAlert: optional(unsignedLong),
	sctpCauseCode: optional(long),
	sdpLineNumber: optional(long),
	sentAlert: optional(unsignedLong),
});

/**
 * An OperationError that says which part of the stack failed.
 * @see https://www.w3.org/TR/webrtc/#rtcerror-interface
 */
export class RTCError extends DOMException {
	readonly #init: ReturnType<typeof toInit>;

	constructor(init: RTCErrorInit, message = '') {
		requireArguments(arguments.length, 1, 'RTCError');
		const converted = toInit(init, 'init');
		super(domString(message, 'message'), 'OperationError');
		this.#init = converted;
	}

	get errorDetail(): RTCErrorDetailType {
		return this.#init.errorDetail;
	}

	/** The line of the SDP, from 1, where the syntax error is. */
	get sdpLineNumber(): number | null {
		return this.#init.sdpLineNumber ?? null;
	}

	get sctpCauseCode(): number | null {
		return this.#init.sctpCauseCode ?? null;
	}

	get receivedAlert(): number | null {
		return this.#init.receivedAlert ?? null;
	}

	get sentAlert(): number | null {
		return this.#init.sentAlert ?? null;
	}
}

defineInterface(RTCError);
