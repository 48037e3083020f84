import { dictionary, domString, nullable, optional, required, unsignedShort, usvString } from '../../webidl/convert.ts';
import { defineInterface, requireArguments } from '../../webidl/interface.ts';
import { eventInit } from './eventInit.ts';

const toInit = dictionary(
	{
		address: optional(nullable(domString)),
		errorCode: required(unsignedShort),
		errorText: optional(usvString),
		port: optional(nullable(unsignedShort)),
		url: optional(domString),
	},
	eventInit,
);

/** @see https://www.w3.org/TR/webrtc/#rtcpeerconnectioniceerrorevent */
export class RTCPeerConnectionIceErrorEvent extends Event {
	readonly #address: string | null;
	readonly #port: number | null;
	readonly #url: string;
	readonly #errorCode: number;
	readonly #errorText: string;

	constructor(type: string, eventInitDict: RTCPeerConnectionIceErrorEventInit) {
		requireArguments(arguments.length, 2, 'RTCPeerConnectionIceErrorEvent');
		const { address, errorCode, errorText, port, url, ...init } = toInit(eventInitDict, 'eventInitDict');
		super(type, init);
		this.#address = address ?? null;
		this.#port = port ?? null;
		this.#url = url ?? '';
		this.#errorCode = errorCode;
		this.#errorText = errorText ?? '';
	}

	get address(): string | null {
		return this.#address;
	}

	get port(): number | null {
		return this.#port;
	}

	get url(): string {
		return this.#url;
	}

	/** A STUN error code, or 701 when no server was reached. */
	get errorCode(): number {
		return this.#errorCode;
	}

	get errorText(): string {
		return this.#errorText;
	}
}

defineInterface(RTCPeerConnectionIceErrorEvent);
