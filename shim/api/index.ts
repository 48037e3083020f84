/** The interfaces of WebRTC, as pages see them. Start at RTCPeerConnection.ts. */

export { RTCDataChannelEvent } from './events/RTCDataChannelEvent.ts';
export { RTCDTMFToneChangeEvent } from './events/RTCDTMFToneChangeEvent.ts';
export { RTCErrorEvent } from './events/RTCErrorEvent.ts';
export { RTCPeerConnectionIceErrorEvent } from './events/RTCPeerConnectionIceErrorEvent.ts';
export { RTCPeerConnectionIceEvent } from './events/RTCPeerConnectionIceEvent.ts';
export { RTCTrackEvent } from './events/RTCTrackEvent.ts';
export { RTCCertificate } from './RTCCertificate.ts';
export { RTCDataChannel } from './RTCDataChannel.ts';
export { RTCDTMFSender } from './RTCDTMFSender.ts';
export { RTCDtlsTransport } from './RTCDtlsTransport.ts';
export { RTCError } from './RTCError.ts';
export { RTCIceCandidate } from './RTCIceCandidate.ts';
export { RTCIceCandidatePair } from './RTCIceCandidatePair.ts';
export { RTCIceTransport } from './RTCIceTransport.ts';
export { RTCPeerConnection } from './RTCPeerConnection.ts';
export { RTCRtpReceiver } from './RTCRtpReceiver.ts';
export { RTCRtpSender } from './RTCRtpSender.ts';
export { RTCRtpTransceiver } from './RTCRtpTransceiver.ts';
export { RTCSctpTransport } from './RTCSctpTransport.ts';
export { RTCSessionDescription } from './RTCSessionDescription.ts';
export { RTCStatsReport } from './RTCStatsReport.ts';
