/**
 * `<script src="aiortc-shim.global.js" data-url="wss://…" data-token="…">`: gives a page what its browser lacks.
 * `data-force` replaces what the browser has, too.
 */

import { installGlobals, shim } from './browser.ts';

const force = globalThis.document?.currentScript?.hasAttribute('data-force') ?? false;
if (force || !('RTCPeerConnection' in globalThis)) installGlobals(globalThis, shim, { keepExisting: !force });
