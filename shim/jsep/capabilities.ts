/** What this side can send and receive: the worker's codecs, as its `hello` confirms. */

import type { Direction, Kind } from './description.ts';
import type { Problem } from './errors.ts';

/** RTCRtpCodec. */
export interface CodecCapability {
	mimeType: string;
	clockRate: number;
	channels?: number;
	sdpFmtpLine?: string;
}

export interface HeaderExtensionCapability {
	uri: string;
	direction?: Direction;
}

export interface Capabilities {
	codecs: CodecCapability[];
	headerExtensions: HeaderExtensionCapability[];
}

/**
 * What getCapabilities() gives, fresh at each call; null for a kind that is neither audio nor video.
 * Senders and receivers have the same.
 */
export function getCapabilities(kind: string): Capabilities | null {
	throw new Error(kind);
}

/**
 * What setCodecPreferences() checks; null when all is well.
 * @see https://www.w3.org/TR/webrtc/#dom-rtcrtptransceiver-setcodecpreferences
 */
export function checkCodecPreferences(kind: Kind, codecs: readonly CodecCapability[]): Problem | null {
	throw new Error(kind + codecs.length);
}
