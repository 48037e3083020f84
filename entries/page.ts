/**
 * `<script src="aiortc-shim.global.js" data-url="wss://…" data-token="…">`: gives a page the WebRTC that its browser lacks.
 * `data-force` does so in a browser that has WebRTC. Tracks, streams and devices stay the browser's where they and the
 * shim's can be made of each other: in Chromium.
 */

import { installGlobals, shim, showsTracks } from './browser.ts';

const force = globalThis.document?.currentScript?.hasAttribute('data-force') ?? false;
if (force || !('RTCPeerConnection' in globalThis))
	installGlobals(globalThis, shim, { keepDevices: showsTracks || !force });
