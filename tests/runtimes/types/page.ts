import { createShim, RTCPeerConnection } from 'aiortc-shim';
import 'aiortc-shim/global';

export const connection: globalThis.RTCPeerConnection = new RTCPeerConnection();
// @ts-expect-error: a page has one session a shim
createShim({ sessions: 2 });
