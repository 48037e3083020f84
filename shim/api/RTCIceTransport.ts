import type { IceCredentials } from '../jsep/index.ts';
import { defineEventHandlers, eventTargetOf } from '../webidl/eventHandlers.ts';
import { defineInterface, requireKey } from '../webidl/interface.ts';
import type { RTCIceCandidate } from './RTCIceCandidate.ts';
import type { RTCIceCandidatePair } from './RTCIceCandidatePair.ts';
import type { IceState } from './transport.ts';

/**
 * How packets get to the peer.
 * @see https://www.w3.org/TR/webrtc/#rtcicetransport
 */
export class RTCIceTransport extends eventTargetOf<RTCIceTransportEventMap>() {
	declare onstatechange: globalThis.RTCIceTransport['onstatechange'];
	declare ongatheringstatechange: globalThis.RTCIceTransport['ongatheringstatechange'];
	declare onselectedcandidatepairchange: globalThis.RTCIceTransport['onselectedcandidatepairchange'];

	readonly #state: IceState;

	constructor(key: unknown = undefined, state?: IceState) {
		requireKey(key);
		super();
		this.#state = state!;
	}

	get role(): 'unknown' | 'controlling' | 'controlled' {
		return this.#state.role ?? 'unknown';
	}

	get component(): RTCIceComponent {
		return this.#state.component;
	}

	get state(): RTCIceTransportState {
		return this.#state.state;
	}

	get gatheringState(): RTCIceGathererState {
		return this.#state.gatheringState;
	}

	getLocalCandidates(): RTCIceCandidate[] {
		return [...this.#state.localCandidates];
	}

	getRemoteCandidates(): RTCIceCandidate[] {
		return [...this.#state.remoteCandidates];
	}

	getSelectedCandidatePair(): RTCIceCandidatePair | null {
		return this.#state.selectedPair;
	}

	getLocalParameters(): IceCredentials | null {
		return this.#state.local && { ...this.#state.local };
	}

	getRemoteParameters(): IceCredentials | null {
		if (!this.#state.remote) return null;
		const { usernameFragment, password } = this.#state.remote;
		return { usernameFragment, password };
	}
}

defineInterface(RTCIceTransport);
defineEventHandlers(RTCIceTransport, ['statechange', 'gatheringstatechange', 'selectedcandidatepairchange']);
