import { defineEventHandlers, eventTargetOf } from '../webidl/eventHandlers.ts';
import { defineInterface, requireKey } from '../webidl/interface.ts';
import type { RTCIceTransport } from './RTCIceTransport.ts';
import type { DtlsState } from './transport.ts';

/**
 * What encrypts the packets of an ICE transport.
 * @see https://www.w3.org/TR/webrtc/#rtcdtlstransport-interface
 */
export class RTCDtlsTransport extends eventTargetOf<RTCDtlsTransportEventMap>() {
	declare onstatechange: globalThis.RTCDtlsTransport['onstatechange'];
	declare onerror: globalThis.RTCDtlsTransport['onerror'];

	readonly #state: DtlsState;

	constructor(key: unknown = undefined, state?: DtlsState) {
		requireKey(key);
		super();
		this.#state = state!;
	}

	get iceTransport(): RTCIceTransport {
		return this.#state.iceTransport;
	}

	get state(): RTCDtlsTransportState {
		return this.#state.state;
	}

	/** The peer's certificates in DER; none before the handshake. */
	getRemoteCertificates(): ArrayBuffer[] {
		return this.#state.remoteCertificates.map((certificate) => certificate.slice(0));
	}
}

defineInterface(RTCDtlsTransport);
defineEventHandlers(RTCDtlsTransport, ['statechange', 'error']);
