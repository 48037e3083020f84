import type { Endpoint } from './options.ts';

const SCHEMES = ['ws:', 'wss:'];

/**
 * A bridge that was named.
 *
 * @param advice what to look at when no WebSocket opens there
 * @throws {SyntaxError} a DOMException: the URL is no WebSocket's
 * @throws {InvalidStateError} there is no token
 */
export function namedBridge(url: string, token: string | undefined, advice: string): Endpoint {
	if (!URL.canParse(url) || !SCHEMES.includes(new URL(url).protocol)) {
		throw new DOMException(`The bridge's URL is ${url}; ${example(url)} is needed`, 'SyntaxError');
	}
	if (!token) {
		throw new DOMException(
			`No token for ${url}: set AIORTC_SHIM_TOKEN to what the bridge printed`,
			'InvalidStateError',
		);
	}
	return { url, token, advice };
}

/** What was meant, when only the scheme is another's. */
function example(url: string): string {
	const meant = url.replace(/^http(?=s?:)/i, 'ws');
	return meant === url ? 'one with ws: or wss:, as ws://127.0.0.1:8080,' : `one with ws: or wss:, as ${meant},`;
}
