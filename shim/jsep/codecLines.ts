/** Codecs in SDP: rtpmap, fmtp and rtcp-fb lines, in any order, put together by payload type. */

import type { Codec, RtcpFeedback, Section } from './description.ts';
import { isMedia } from './section.ts';

export interface CodecLines {
	rtpmaps: Map<number, Omit<Codec, 'payloadType' | 'sdpFmtpLine' | 'rtcpFeedback'>>;
	fmtps: Map<number, string>;
	feedback: { payloadType: number | '*'; feedback: RtcpFeedback }[];
}

/**
 * Payload types that need no rtpmap.
 * @see https://www.rfc-editor.org/rfc/rfc3551#section-6
 */
const STATIC: Record<number, Omit<Codec, 'payloadType' | 'rtcpFeedback'>> = {
	0: { mimeType: 'audio/PCMU', clockRate: 8000, channels: 1 },
	8: { mimeType: 'audio/PCMA', clockRate: 8000, channels: 1 },
	9: { mimeType: 'audio/G722', clockRate: 8000, channels: 1 },
};

/** The codecs of an m= line, in its order; a payload type that nothing describes is left out. */
export function buildCodecs(lines: CodecLines, section: Section): Codec[] {
	if (!isMedia(section)) return [];
	const codecs: Codec[] = [];
	// A closed section keeps its formats but has no codecs.
	const implied = section.kind === 'audio' && !section.rejected ? STATIC : {};
	for (const payloadType of new Set(section.formats.map(Number))) {
		const known = lines.rtpmaps.get(payloadType) ?? implied[payloadType];
		if (!known) continue;
		const { mimeType, clockRate, channels } = known;
		const fmtp = lines.fmtps.get(payloadType);
		codecs.push({
			mimeType,
			payloadType,
			clockRate,
			...(channels === undefined ? {} : { channels }),
			...(fmtp === undefined ? {} : { sdpFmtpLine: fmtp }),
			rtcpFeedback: feedbackOf(lines, payloadType, mimeType),
		});
	}
	return codecs;
}

function feedbackOf(lines: CodecLines, payloadType: number, mimeType: string): RtcpFeedback[] {
	const isRtx = /\/rtx$/i.test(mimeType);
	return lines.feedback
		.filter((line) => line.payloadType === payloadType || (line.payloadType === '*' && !isRtx))
		.map((line) => line.feedback);
}

export function writeCodec(codec: Codec): string[] {
	const { payloadType } = codec;
	const name = codec.mimeType.slice(codec.mimeType.indexOf('/') + 1);
	const channels = codec.channels !== undefined && codec.channels > 1 ? `/${codec.channels}` : '';
	const lines = [`a=rtpmap:${payloadType} ${name}/${codec.clockRate}${channels}`];
	for (const { type, parameter } of codec.rtcpFeedback)
		lines.push(`a=rtcp-fb:${payloadType} ${type}${parameter === undefined ? '' : ` ${parameter}`}`);
	if (codec.sdpFmtpLine !== undefined) lines.push(`a=fmtp:${payloadType} ${codec.sdpFmtpLine}`);
	return lines;
}
