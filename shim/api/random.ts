/** Identifiers that the shim mints, all from the host's secure random numbers. */

import type { IceCredentials } from '../jsep/index.ts';

const iceCharacters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function iceString(length: number): string {
	const values = crypto.getRandomValues(new Uint8Array(length));
	return Array.from(values, (value) => iceCharacters[value % 64]).join('');
}

/**
 * 24 and 132 bits, as RFC 8445 asks for at least.
 * @see https://www.rfc-editor.org/rfc/rfc8445#section-5.3
 */
export function randomCredentials(): IceCredentials {
	return { usernameFragment: iceString(4), password: iceString(24) };
}

/** 96 bits. @see https://www.rfc-editor.org/rfc/rfc7022#section-4.2 */
export function randomCname(): string {
	return iceString(16);
}

/** An SSRC, never 0, which some SFUs take for none. */
export function randomSsrc(): number {
	return crypto.getRandomValues(new Uint32Array(1))[0]! || 1;
}

/** 62 bits as decimal digits, what a=o's session id may have. @see https://www.rfc-editor.org/rfc/rfc9429#section-5.2.1 */
export function randomSessionId(): string {
	return String(crypto.getRandomValues(new BigUint64Array(1))[0]! >> 2n);
}
