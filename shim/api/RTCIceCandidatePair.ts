import { defineInterface, requireKey } from '../webidl/interface.ts';
import type { RTCIceCandidate } from './RTCIceCandidate.ts';

/**
 * The two candidates over which packets go.
 * @see https://www.w3.org/TR/webrtc/#rtcicecandidatepair
 */
export class RTCIceCandidatePair {
	readonly #local: RTCIceCandidate;
	readonly #remote: RTCIceCandidate;

	constructor(key: unknown = undefined, local?: RTCIceCandidate, remote?: RTCIceCandidate) {
		requireKey(key);
		this.#local = local!;
		this.#remote = remote!;
	}

	get local(): RTCIceCandidate {
		return this.#local;
	}

	get remote(): RTCIceCandidate {
		return this.#remote;
	}
}

defineInterface(RTCIceCandidatePair);
