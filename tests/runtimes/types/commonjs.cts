import shim = require('aiortc-shim');
import bridges = require('aiortc-shim/bridge');
import globals = require('aiortc-shim/global');

export const connection: globalThis.RTCPeerConnection = new shim.RTCPeerConnection();
export const uninstall: () => void = globals.uninstall;
export const url: Promise<string> = bridges.startBridge().then((bridge) => bridge.url);

// What has come to be `any` would take these.
// @ts-expect-error
connection.nothing;
// @ts-expect-error
bridges.nothing;
