/**
 * A connection's states as its transports make them. Pure functions.
 * @see https://www.w3.org/TR/webrtc/#state-definitions
 */

/** @see https://www.w3.org/TR/webrtc/#rtciceconnectionstate-enum */
export function iceConnectionState(transports: readonly RTCIceTransportState[]): RTCIceConnectionState {
	const all = (...states: RTCIceTransportState[]) => transports.every((state) => states.includes(state));
	const any = (...states: RTCIceTransportState[]) => transports.some((state) => states.includes(state));
	if (any('failed')) return 'failed';
	if (any('disconnected')) return 'disconnected';
	if (all('new', 'closed')) return 'new';
	if (any('new', 'checking')) return 'checking';
	return all('completed', 'closed') ? 'completed' : 'connected';
}

/** @see https://www.w3.org/TR/webrtc/#rtcpeerconnectionstate-enum */
export function connectionState(
	ice: RTCIceConnectionState,
	transports: readonly RTCDtlsTransportState[],
): RTCPeerConnectionState {
	const all = (...states: RTCDtlsTransportState[]) => transports.every((state) => states.includes(state));
	if (ice === 'failed' || transports.includes('failed')) return 'failed';
	if (ice === 'disconnected') return 'disconnected';
	if (ice === 'new' && all('new', 'closed')) return 'new';
	const iceConnected = ice === 'connected' || ice === 'completed';
	return iceConnected && all('connected', 'closed') ? 'connected' : 'connecting';
}

/** @see https://www.w3.org/TR/webrtc/#rtcicegatheringstate-enum */
export function iceGatheringState(transports: readonly RTCIceGathererState[]): RTCIceGatheringState {
	if (transports.includes('gathering')) return 'gathering';
	if (transports.length > 0 && transports.every((state) => state === 'complete')) return 'complete';
	return 'new';
}
