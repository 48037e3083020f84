/** `import … from 'aiortc-shim'` in a page: the same classes, over a bridge that somebody runs. */

import { consoleLog, type Log } from '../shim/link/log.ts';
import { namedBridge } from '../shim/link/namedBridge.ts';
import type { Endpoint } from '../shim/rpc/Session.ts';
import { Sessions } from './sessions.ts';
import { bindShim, defaultShim, type Shim } from './shim.ts';
import { VERSION } from './version.ts';

export * from '../shim/api/index.ts';
export * from '../shim/media/index.ts';
export { installGlobals } from './installGlobals.ts';
export type { Shim } from './shim.ts';

export interface ShimOptions {
	/** The bridge, `wss://host:port`; `data-url` of the script's element or `AIORTC_SHIM_URL` of the page unless given. */
	readonly url?: string;
	/** `data-token` or `AIORTC_SHIM_TOKEN` unless given. */
	readonly token?: string;
	/** Takes a line for each frame. */
	readonly debug?: (line: string) => void;
	/** Takes warnings; the console unless given. */
	readonly log?: Log;
}

// Only while the script runs does the document know which one it is.
const own = globalThis.document?.currentScript?.dataset ?? {};

/** A shim of its own: its classes, its devices, its session. */
export function createShim(options: ShimOptions = {}): Shim {
	return bindShim(openSessions(options));
}

/** The shim whose classes this module exports. */
export const shim: Shim = defaultShim(openSessions({}));

export const { mediaDevices } = shim;

function openSessions(options: ShimOptions): Sessions {
	const { debug, log = consoleLog } = options;
	const connect = () => findBridge(options);
	return new Sessions({ connect, client: `aiortc-shim/${VERSION} page`, debug, log });
}

/** Asked for at the first use: a page may set its globals after this script has run. */
function findBridge(options: ShimOptions): Endpoint {
	const page = globalThis as { AIORTC_SHIM_URL?: string; AIORTC_SHIM_TOKEN?: string };
	const url = options.url ?? page.AIORTC_SHIM_URL ?? own.url;
	const token = options.token ?? page.AIORTC_SHIM_TOKEN ?? own.token;
	if (url && token) return namedBridge(url, token, advice());
	throw new DOMException('No bridge: set data-url and data-token, or AIORTC_SHIM_URL and _TOKEN', 'InvalidStateError');
}

/** A page is not told why a WebSocket did not open: these are the likely causes. */
function advice(): string {
	const { origin } = globalThis.location ?? {};
	return `is one running there, and was it started with --origin ${origin ?? 'of this page'}? Its log says what it refused`;
}
