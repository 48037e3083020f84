/** Which codecs are the same, and what of each two sides agree on. */

import type { Codec, RtcpFeedback } from './description.ts';
import { answerProfileLevelId, sameProfile } from './h264.ts';

/** Named parameters of a format line, names in lower case. Values keep theirs. */
export function fmtpParameters(line: string | undefined): Map<string, string> {
	const parameters = new Map<string, string>();
	for (const part of line?.split(';') ?? []) {
		const equals = part.indexOf('=');
		const name = (equals < 0 ? part : part.slice(0, equals)).trim();
		if (name !== '') parameters.set(name.toLowerCase(), equals < 0 ? '' : part.slice(equals + 1).trim());
	}
	return parameters;
}

export function sameParameters(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
	return a.size === b.size && [...a].every(([name, value]) => b.get(name)?.toLowerCase() === value.toLowerCase());
}

/** The payload type that an rtx codec repairs; null for other codecs. */
export function repairs(codec: Codec): number | null {
	if (!/\/rtx$/i.test(codec.mimeType)) return null;
	const apt = fmtpParameters(codec.sdpFmtpLine).get('apt');
	return apt !== undefined && /^\d+$/.test(apt) ? Number(apt) : null;
}

type Format = Pick<Codec, 'mimeType' | 'clockRate' | 'channels' | 'sdpFmtpLine'>;

/**
 * Whether two sides mean one codec, whatever its payload type: H.264 also by profile and packetization mode, not by
 * level. Other format parameters say what a side wishes for, and do not part codecs.
 * @see https://www.rfc-editor.org/rfc/rfc6184#section-8.2.2
 */
export function matches(a: Format, b: Format): boolean {
	const type = a.mimeType.toLowerCase();
	if (type !== b.mimeType.toLowerCase() || a.clockRate !== b.clockRate) return false;
	if ((a.channels ?? 1) !== (b.channels ?? 1)) return false;
	if (type !== 'video/h264') return true;
	const ours = fmtpParameters(a.sdpFmtpLine);
	const theirs = fmtpParameters(b.sdpFmtpLine);
	const mode = (parameters: ReadonlyMap<string, string>) => parameters.get('packetization-mode') ?? '0';
	return mode(ours) === mode(theirs) && sameProfile(ours.get('profile-level-id'), theirs.get('profile-level-id'));
}

/** The codec of a list that means the same: rtx by the codec that it repairs. */
export function findMatch(codec: Codec, own: readonly Codec[], among: readonly Codec[]): Codec | undefined {
	const apt = repairs(codec);
	if (apt === null) return among.find((other) => repairs(other) === null && matches(codec, other));
	const repaired = own.find((other) => other.payloadType === apt);
	const counterpart = repaired && findMatch(repaired, own, among);
	return counterpart && among.find((other) => repairs(other) === counterpart.payloadType);
}

/** Those of `codecs` that the other side has too, each with only the feedback that both know. */
export function common(codecs: readonly Codec[], others: readonly Codec[]): Codec[] {
	return codecs.flatMap((codec) => {
		const other = findMatch(codec, codecs, others);
		return other ? [{ ...codec, rtcpFeedback: commonFeedback(codec.rtcpFeedback, other.rtcpFeedback) }] : [];
	});
}

export const commonFeedback = (a: readonly RtcpFeedback[], b: readonly RtcpFeedback[]): RtcpFeedback[] =>
	a.filter((x) => b.some((y) => x.type === y.type && (x.parameter ?? '') === (y.parameter ?? '')));

/** `codecs` in the order of their counterparts in `order`; those without one are left out. */
export function inOrderOf(order: readonly Codec[], codecs: readonly Codec[]): Codec[] {
	return order.flatMap((codec) => findMatch(codec, order, codecs) ?? []);
}

/** Our format line in an answer: ours, but for H.264 without level asymmetry, whose level is the lower one. */
export function answerFormat(ours: string | undefined, offered: Codec): string | undefined {
	if (ours === undefined || offered.mimeType.toLowerCase() !== 'video/h264') return ours;
	const theirs = fmtpParameters(offered.sdpFmtpLine);
	const parameters = fmtpParameters(ours);
	const asymmetric = theirs.get('level-asymmetry-allowed') === '1' && parameters.get('level-asymmetry-allowed') === '1';
	if (asymmetric) return ours;
	parameters.delete('level-asymmetry-allowed');
	const level = answerProfileLevelId(parameters.get('profile-level-id'), theirs.get('profile-level-id'));
	return [...parameters.set('profile-level-id', level)].map(([name, value]) => `${name}=${value}`).join(';');
}
