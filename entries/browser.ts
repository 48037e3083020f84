/** `import … from 'aiortc-shim'` in a page: the same classes, over a bridge that somebody runs. */

import { openSessions, type ShimOptions } from './pageSessions.ts';
import { bindShim, defaultShim, type Shim } from './shim.ts';

export * from '../shim/api/index.ts';
export * from '../shim/media/index.ts';
export { installGlobals } from './installGlobals.ts';
export type { ShimOptions } from './pageSessions.ts';
export type { Shim } from './shim.ts';

/** A shim of its own: its classes, its devices, its session. */
export function createShim(options: ShimOptions = {}): Shim {
	return bindShim(openSessions(options));
}

/** The shim whose classes this module exports. */
export const shim: Shim = defaultShim(openSessions({}));

export const { mediaDevices } = shim;
