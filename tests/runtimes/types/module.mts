import * as shim from 'aiortc-shim';
import { createShim, installGlobals, type Shim } from 'aiortc-shim';
import 'aiortc-shim/global';
import { type Bridge, type BridgeOptions, startBridge } from 'aiortc-shim/bridge';

export const connection: globalThis.RTCPeerConnection = new shim.RTCPeerConnection();
export const Connection: typeof globalThis.RTCPeerConnection = shim.RTCPeerConnection;
export const channel: globalThis.RTCDataChannel = connection.createDataChannel('chat');

const own: Shim = createShim({ url: 'wss://bridge.example', token: 'secret', sessions: 2 });
export const another: globalThis.RTCPeerConnection = new own.RTCPeerConnection({ iceServers: [] });
export const uninstall: () => void = installGlobals(globalThis, own);

const options: BridgeOptions = { port: 0 };
export const bridge: Bridge = await startBridge(options);

export const stream: globalThis.MediaStream = await shim.mediaDevices.getUserMedia({ video: true });
export const processor = new MediaStreamTrackProcessor({ track: stream.getVideoTracks()[0]!, format: 'RGBA' });

const generator = new shim.MediaStreamTrackGenerator({ kind: 'video' });
const pixels = new Uint8Array(16);
const picture = new shim.VideoFrame(pixels, {
	format: 'RGBA',
	codedWidth: 2,
	codedHeight: 2,
	timestamp: 0,
	transfer: [pixels.buffer],
});
export const same: globalThis.VideoFrame = picture;
await generator.writable.getWriter().write(picture);
export const queued: number = generator.queuedDuration;

// What has come to be `any` would take these.
// @ts-expect-error
connection.nothing;
// @ts-expect-error
new shim.RTCPeerConnection().createDataChannel(1);
// @ts-expect-error
own.nothing;
// @ts-expect-error
bridge.nothing;
// @ts-expect-error
processor.nothing;
