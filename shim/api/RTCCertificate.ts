import { defineInterface, requireKey } from '../webidl/interface.ts';
import type { Certificate } from './certificate.ts';

export let certificateOf: (object: RTCCertificate) => Certificate;

/**
 * A key pair and certificate, which stay in the worker: this is a handle.
 * @see https://www.w3.org/TR/webrtc/#rtccertificate-interface
 */
export class RTCCertificate {
	readonly #certificate: Certificate;

	constructor(key: unknown = undefined, certificate?: Certificate) {
		requireKey(key);
		this.#certificate = certificate!;
	}

	/** Milliseconds since the epoch. */
	get expires(): EpochTimeStamp {
		return this.#certificate.expires;
	}

	getFingerprints(): RTCDtlsFingerprint[] {
		return this.#certificate.fingerprints.map((fingerprint) => ({ ...fingerprint }));
	}

	static {
		certificateOf = (object) => object.#certificate;
	}
}

defineInterface(RTCCertificate);
