/**
 * `import 'aiortc-shim/global'`: what a browser has by itself. The worker starts in the background, so that it is there
 * when the first connection wants it; with AIORTC_SHIM_LAZY=1, only then.
 */

import { installGlobals, shim, warmUp } from './node.ts';

/** Puts the globals back as they were. */
export const uninstall = installGlobals(globalThis, shim);

if (!process.env.AIORTC_SHIM_LAZY) warmUp();
