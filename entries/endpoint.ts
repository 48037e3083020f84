import type { Endpoint } from '../shim/rpc/Session.ts';

const SCHEMES = ['ws:', 'wss:', 'http:', 'https:'];

/**
 * A bridge that was named.
 *
 * @throws {SyntaxError} a DOMException: the URL is none that a WebSocket takes
 * @throws {InvalidStateError} there is no token
 */
export function namedBridge(url: string, token: string | undefined): Endpoint {
	if (!URL.canParse(url) || !SCHEMES.includes(new URL(url).protocol)) {
		throw new DOMException(`The bridge's URL is ${url}; one as ws://127.0.0.1:8080 is needed`, 'SyntaxError');
	}
	if (!token) {
		throw new DOMException(
			`No token for ${url}: set AIORTC_SHIM_TOKEN to what the bridge printed`,
			'InvalidStateError',
		);
	}
	return { url, token };
}
