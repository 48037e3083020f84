/**
 * `<script src="aiortc-shim.global.js" data-url="wss://…" data-token="…">`: gives a page the WebRTC that its browser lacks,
 * tracks and streams included; the browser's own tracks can be sent. `data-force` does so in a browser that has WebRTC,
 * and replaces its devices, too.
 */

import { installGlobals, shim } from './browser.ts';

const force = globalThis.document?.currentScript?.hasAttribute('data-force') ?? false;
if (force || !('RTCPeerConnection' in globalThis)) installGlobals(globalThis, shim, { keepDevices: !force });
