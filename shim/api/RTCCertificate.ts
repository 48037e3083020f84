import { defineInterface, requireKey } from '../webidl/interface.ts';
import type { SealedCertificate } from './certificate.ts';

export let certificateOf: (object: RTCCertificate) => SealedCertificate;

/**
 * A certificate with its key pair, which only workers can read: any connection of the shim may have it.
 * @see https://www.w3.org/TR/webrtc/#rtccertificate-interface
 */
export class RTCCertificate {
	readonly #certificate: SealedCertificate;

	constructor(key: unknown = undefined, certificate?: SealedCertificate) {
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
