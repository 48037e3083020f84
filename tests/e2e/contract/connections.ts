/** What mediasoup-client does with its connections, seen without touching it. */
import 'aiortc-shim/global';

/** Every connection that was made, the latest last. */
export const connections: RTCPeerConnection[] = [];

// In the place of the global class, one that does nothing but remember its instances.
globalThis.RTCPeerConnection = class extends RTCPeerConnection {
	constructor(configuration?: RTCConfiguration) {
		super(configuration);
		connections.push(this);
	}
};

/** The sections of a description, each from its `m=` line on. */
export function sections(description: { sdp: string } | null): string[] {
	return (description?.sdp ?? '').split(/(?=^m=)/m).slice(1);
}

/** The values of an attribute in a piece of SDP; of a flag, empty strings. */
export function attributes(sdp: string, name: string): string[] {
	return [...sdp.matchAll(new RegExp(`^a=${name}(?::(.*?))?\\r?$`, 'gm'))].map(([, value = '']) => value);
}
