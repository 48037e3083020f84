/**
 * `import 'aiortc-shim/global'`: what a browser has by itself. The worker starts in the background, so that it is there
 * when the first connection wants it; with AIORTC_SHIM_LAZY=1, only then. AIORTC_SHIM_WINDOW=1 gives a `window`, too.
 */

import { installGlobals, shim, warmUp } from './node.ts';

/** Puts the globals back as they were. */
export const uninstall = installGlobals(globalThis, shim, { window: Boolean(process.env.AIORTC_SHIM_WINDOW) });

if (!process.env.AIORTC_SHIM_LAZY) warmUp();
