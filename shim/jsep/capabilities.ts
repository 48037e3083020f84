/** What this side can send and receive: the worker's codecs, as its `hello` confirms. */

import { fmtpParameters, sameParameters } from './codecs.ts';
import type { Direction, Kind, RtcpFeedback } from './description.ts';
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

/** A codec we have, with the payload types that we offer it by unless they are taken: Chrome's, where it has the codec. */
export interface LocalCodec extends CodecCapability {
	payloadType: number;
	/** Set where we retransmit. */
	rtxPayloadType?: number;
	rtcpFeedback: readonly RtcpFeedback[];
}

const AUDIO_FEEDBACK: readonly RtcpFeedback[] = [{ type: 'transport-cc' }];
const VIDEO_FEEDBACK: readonly RtcpFeedback[] = [
	{ type: 'goog-remb' },
	{ type: 'transport-cc' },
	{ type: 'ccm', parameter: 'fir' },
	{ type: 'nack' },
	{ type: 'nack', parameter: 'pli' },
];

const mono = (name: string, clockRate: number, payloadType: number): LocalCodec => ({
	mimeType: `audio/${name}`,
	clockRate,
	channels: 1,
	payloadType,
	rtcpFeedback: [],
});

/** libx264 sends packetization mode 1 only, so mode 0 is not offered. */
const h264 = (profileLevelId: string, payloadType: number): LocalCodec => ({
	mimeType: 'video/H264',
	clockRate: 90000,
	sdpFmtpLine: `level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=${profileLevelId}`,
	payloadType,
	rtxPayloadType: payloadType + 1,
	rtcpFeedback: VIDEO_FEEDBACK,
});

/** In order of preference. */
export const LOCAL_CODECS: Readonly<Record<Kind, readonly LocalCodec[]>> = {
	audio: [
		{
			mimeType: 'audio/opus',
			clockRate: 48000,
			channels: 2,
			sdpFmtpLine: 'minptime=10;useinbandfec=1',
			payloadType: 111,
			rtcpFeedback: AUDIO_FEEDBACK,
		},
		mono('G722', 8000, 9),
		mono('PCMU', 8000, 0),
		mono('PCMA', 8000, 8),
		// DTMF, with the clock of the codec beside which it is sent.
		mono('telephone-event', 48000, 110),
		mono('telephone-event', 8000, 126),
	],
	video: [
		{
			mimeType: 'video/VP8',
			clockRate: 90000,
			payloadType: 96,
			rtxPayloadType: 97,
			rtcpFeedback: VIDEO_FEEDBACK,
		},
		h264('42001f', 102),
		h264('42e01f', 106),
	],
};

export const RTX: CodecCapability = { mimeType: 'video/rtx', clockRate: 90000 };

export const MID = 'urn:ietf:params:rtp-hdrext:sdes:mid';
const ABS_SEND_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time';
const TRANSPORT_CC = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';

/** With the ids that we offer them by unless they are taken; one URI has one id in both kinds, as BUNDLE wants. */
export const LOCAL_EXTENSIONS: Readonly<Record<Kind, readonly { id: number; uri: string }[]>> = {
	audio: [
		{ id: 1, uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level' },
		{ id: 2, uri: ABS_SEND_TIME },
		{ id: 3, uri: TRANSPORT_CC },
		{ id: 4, uri: MID },
	],
	video: [
		{ id: 2, uri: ABS_SEND_TIME },
		{ id: 3, uri: TRANSPORT_CC },
		{ id: 4, uri: MID },
		{ id: 10, uri: 'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id' },
		{ id: 11, uri: 'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id' },
	],
};

const isKind = (kind: string): kind is Kind => kind === 'audio' || kind === 'video';

/**
 * What getCapabilities() gives, fresh at each call; null for a kind that is neither audio nor video.
 * Senders and receivers have the same; rtx is listed once, without a format line.
 * @see https://www.w3.org/TR/webrtc/#dom-rtcrtpsender-getcapabilities
 */
export function getCapabilities(kind: string): Capabilities | null {
	if (!isKind(kind)) return null;
	const codecs = LOCAL_CODECS[kind].map(({ mimeType, clockRate, channels, sdpFmtpLine }) => ({
		mimeType,
		clockRate,
		...(channels === undefined ? {} : { channels }),
		...(sdpFmtpLine === undefined ? {} : { sdpFmtpLine }),
	}));
	return {
		codecs: kind === 'video' ? [...codecs, { ...RTX }] : codecs,
		headerExtensions: LOCAL_EXTENSIONS[kind].map(({ uri }) => ({ uri, direction: 'sendrecv' })),
	};
}

/** Whether two dictionaries name one codec: case does not matter, nor the order of parameters. */
export const isSameCapability = (a: CodecCapability, b: CodecCapability): boolean =>
	a.mimeType.toLowerCase() === b.mimeType.toLowerCase() &&
	a.clockRate === b.clockRate &&
	a.channels === b.channels &&
	sameParameters(fmtpParameters(a.sdpFmtpLine), fmtpParameters(b.sdpFmtpLine));

/** Whether a codec is more than an aid of others: what is left of a section without one is no media. */
export const carriesMedia = ({ mimeType }: { mimeType: string }): boolean =>
	!/\/(rtx|red|ulpfec|flexfec-03|telephone-event|cn)$/i.test(mimeType);

export const isRtx = (codec: { mimeType: string }): boolean => codec.mimeType.toLowerCase().endsWith('/rtx');

/**
 * What setCodecPreferences() checks; null when all is well.
 * @see https://www.w3.org/TR/webrtc/#dom-rtcrtptransceiver-setcodecpreferences
 */
export function checkCodecPreferences(kind: Kind, codecs: readonly CodecCapability[]): Problem | null {
	if (codecs.length === 0) return null;
	const known = getCapabilities(kind)!.codecs;
	const stranger = codecs.find((codec) => !known.some((other) => isSameCapability(codec, other)));
	if (stranger) {
		const { mimeType, sdpFmtpLine } = stranger;
		return {
			name: 'InvalidModificationError',
			message: `not a codec of ours: ${mimeType}${sdpFmtpLine === undefined ? '' : ` (${sdpFmtpLine})`}`,
		};
	}
	if (!codecs.some(carriesMedia))
		return { name: 'InvalidModificationError', message: 'none of the codecs carries media' };
	return null;
}
