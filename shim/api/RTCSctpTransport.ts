import { defineEventHandlers, eventTargetOf } from '../webidl/eventHandlers.ts';
import { defineInterface, requireKey } from '../webidl/interface.ts';
import type { RTCDtlsTransport } from './RTCDtlsTransport.ts';
import type { SctpState } from './sctp.ts';

/**
 * The association that carries the data channels.
 * @see https://www.w3.org/TR/webrtc/#rtcsctptransport-interface
 */
export class RTCSctpTransport extends eventTargetOf<RTCSctpTransportEventMap>() {
	declare onstatechange: globalThis.RTCSctpTransport['onstatechange'];

	readonly #state: SctpState;

	constructor(key: unknown = undefined, state?: SctpState) {
		requireKey(key);
		super();
		this.#state = state!;
	}

	get transport(): RTCDtlsTransport {
		return this.#state.transport.dtls.object;
	}

	get state(): RTCSctpTransportState {
		return this.#state.state;
	}

	/**
	 * Bytes that the peer accepts in one message; Infinity when it sets no limit.
	 * Null until negotiated, which lib.dom.d.ts does not say.
	 */
	get maxMessageSize(): number {
		return this.#state.maxMessageSize as number;
	}

	get maxChannels(): number | null {
		return this.#state.maxChannels;
	}
}

defineInterface(RTCSctpTransport);
defineEventHandlers(RTCSctpTransport, ['statechange']);
