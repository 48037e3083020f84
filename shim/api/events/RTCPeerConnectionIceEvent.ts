import { dictionary, instanceOf, nullable, optional, usvString } from '../../webidl/convert.ts';
import { defineInterface, requireArguments } from '../../webidl/interface.ts';
import { RTCIceCandidate } from '../RTCIceCandidate.ts';
import { eventInit } from './eventInit.ts';

const toInit = dictionary(
	{ candidate: optional(nullable(instanceOf(RTCIceCandidate))), url: optional(nullable(usvString)) },
	eventInit,
);

/** @see https://www.w3.org/TR/webrtc/#rtcpeerconnectioniceevent */
export class RTCPeerConnectionIceEvent extends Event {
	readonly #candidate: RTCIceCandidate | null;
	readonly #url: string | null;

	constructor(type: string, eventInitDict: RTCPeerConnectionIceEventInit = {}) {
		requireArguments(arguments.length, 1, 'RTCPeerConnectionIceEvent');
		const { candidate = null, url = null, ...init } = toInit(eventInitDict, 'eventInitDict');
		super(type, init);
		this.#candidate = candidate;
		this.#url = url;
	}

	/** The candidate that was found; null when gathering is over. */
	get candidate(): RTCIceCandidate | null {
		return this.#candidate;
	}

	/** The server that it came from, kept for older callers; `candidate.url` has it too. */
	get url(): string | null {
		return this.#url;
	}
}

defineInterface(RTCPeerConnectionIceEvent);
