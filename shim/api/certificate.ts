import type { Fingerprint } from '../jsep/index.ts';
import type { Remote } from '../rpc/Remote.ts';
import type { Scope } from '../rpc/Scope.ts';
import type { Session } from '../rpc/Session.ts';
import { isUint8Array } from '../webidl/buffers.ts';
import {
	any,
	dictionary,
	domString,
	isObject,
	optional,
	required,
	unsignedLongEnforced,
	unsignedLongLongEnforced,
} from '../webidl/convert.ts';
import { constructorKey } from '../webidl/interface.ts';
import { RTCCertificate } from './RTCCertificate.ts';

/** What a certificate says of itself. */
interface Facts {
	/** Milliseconds since the epoch. */
	readonly expires: number;
	readonly fingerprints: readonly Fingerprint[];
	/** Without its key. */
	readonly pem?: string | null;
}

/** A certificate in a session's worker. */
export interface Certificate extends Facts {
	readonly remote: Remote<'Certificate'>;
}

/** A certificate that any session of the shim can have: its key is sealed, for workers of the same bridge alone. */
export interface SealedCertificate extends Facts {
	readonly sealed: string;
}

export type KeyAlgorithm = 'ECDSA' | 'RSA';

const YEAR = 365 * 24 * 60 * 60 * 1000;

/** Asks the worker for a key pair; rejects when it refuses or the session is lost, and says nothing once `scope` ended. */
export async function createCertificate(scope: Scope, algorithm: KeyAlgorithm, expires?: number): Promise<Certificate> {
	const remote = scope.create('Certificate', { algorithm, expires });
	const release = scope.hold();
	try {
		return await new Promise((resolve, reject) => {
			remote.onlost = reject;
			remote.on('error', ({ message }) => reject(new DOMException(message, 'OperationError')));
			remote.on('ready', (ready) => resolve({ remote, ...ready }));
		});
	} finally {
		release();
	}
}

const toExpiration = dictionary({ expires: optional(unsignedLongLongEnforced) });
const toAlgorithm = dictionary({ name: required(domString) });
const toEcKey = dictionary({ namedCurve: required(domString) });
const toRsaKey = dictionary({
	hash: required(any),
	modulusLength: required(unsignedLongEnforced),
	publicExponent: required(any),
});

/** The certificate in the session that is to use it, under `scope`; a refusal is the object's `error`. */
export function openCertificate(scope: Scope, { sealed, ...facts }: SealedCertificate): Certificate {
	return { remote: scope.create('Certificate', { sealed }), ...facts };
}

/**
 * Makes a certificate that an application may give to several connections.
 *
 * @param keygenAlgorithm `{ name: 'ECDSA', namedCurve: 'P-256' }` or RSASSA-PKCS1-v1_5, 2048 bits, SHA-256
 * @throws {NotSupportedError} another algorithm, curve, size or hash
 * @see https://www.w3.org/TR/webrtc/#dom-rtcpeerconnection-generatecertificate
 */
export async function generateCertificate(session: () => Session, keygenAlgorithm: unknown): Promise<RTCCertificate> {
	const algorithm = keyAlgorithm(keygenAlgorithm);
	const { expires } = toExpiration(isObject(keygenAlgorithm) ? keygenAlgorithm : undefined, 'keygenAlgorithm');
	const until = expires === undefined ? undefined : Date.now() + Math.min(expires, YEAR);
	const { remote, ...facts } = await createCertificate(session().scope, algorithm, until);
	try {
		const { sealed } = await remote.call('seal', {});
		return new RTCCertificate(constructorKey, { ...facts, sealed });
	} finally {
		remote.drop();
	}
}

function keyAlgorithm(given: unknown): KeyAlgorithm {
	const { name } = toAlgorithm(isObject(given) ? given : { name: given }, 'keygenAlgorithm');
	switch (name.toUpperCase()) {
		case 'ECDSA':
			requireSupported(toEcKey(given, 'keygenAlgorithm').namedCurve === 'P-256', 'ECDSA only with P-256');
			return 'ECDSA';
		case 'RSASSA-PKCS1-V1_5':
			requireSupported(isSupportedRsa(given), 'RSA only with 2048 bits, exponent 65537 and SHA-256');
			return 'RSA';
		default:
			throw new DOMException(`No certificates with ${name}; ECDSA or RSASSA-PKCS1-v1_5`, 'NotSupportedError');
	}
}

function isSupportedRsa(given: unknown): boolean {
	const { hash, modulusLength, publicExponent } = toRsaKey(given, 'keygenAlgorithm');
	const { name } = toAlgorithm(isObject(hash) ? hash : { name: hash }, 'keygenAlgorithm.hash');
	if (!isUint8Array(publicExponent)) throw new TypeError('keygenAlgorithm.publicExponent is no Uint8Array');
	const exponent = publicExponent.reduce((value, byte) => value * 256 + byte, 0);
	return name.toUpperCase() === 'SHA-256' && modulusLength === 2048 && exponent === 65_537;
}

function requireSupported(supported: boolean, message: string): void {
	if (!supported) throw new DOMException(message, 'NotSupportedError');
}
