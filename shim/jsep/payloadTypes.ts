/** Which numbers an offer uses: those in use within the BUNDLE stay, ours are taken where they are free. */

import {
	type CodecCapability,
	isRtx,
	isSameCapability,
	LOCAL_CODECS,
	LOCAL_EXTENSIONS,
	type LocalCodec,
} from './capabilities.ts';
import { matches, repairs } from './codecs.ts';
import type { Codec, Description, HeaderExtension, Kind } from './description.ts';
import type { HeaderExtensionControl } from './headerExtensions.ts';
import { isMedia } from './section.ts';

/** Numbers that a connection's sections use now; they all share one transport, or will. */
export interface Numbers {
	codecs: Map<number, Codec>;
	extensions: Map<number, string>;
}

/** What both descriptions use. The local one goes first: it says what the peer sends us. */
export function numbersInUse(local: Description | null, remote: Description | null): Numbers {
	const numbers: Numbers = { codecs: new Map(), extensions: new Map() };
	for (const section of [...(local?.sections ?? []), ...(remote?.sections ?? [])]) {
		if (section.rejected || !isMedia(section)) continue;
		for (const codec of section.codecs)
			if (!numbers.codecs.has(codec.payloadType)) numbers.codecs.set(codec.payloadType, codec);
		for (const { id, uri } of section.headerExtensions)
			if (!numbers.extensions.has(id)) numbers.extensions.set(id, uri);
	}
	return numbers;
}

/**
 * The codecs of a kind that are wanted, in the order wanted, and whether rtx is.
 * Without preferences all of them, in the order of `previous`, what the section had.
 */
export function wantedCodecs(
	kind: Kind,
	preferences: readonly CodecCapability[],
	previous: readonly Codec[] = [],
): { codecs: LocalCodec[]; rtx: boolean } {
	const known = LOCAL_CODECS[kind];
	if (preferences.length > 0) {
		const chosen = preferences.flatMap((wanted) => known.find((codec) => isSameCapability(codec, wanted)) ?? []);
		return { codecs: [...new Set(chosen)], rtx: preferences.some(isRtx) };
	}
	const before = previous.flatMap((codec) => known.find((local) => matches(local, codec)) ?? []);
	return { codecs: [...new Set([...before, ...known])], rtx: true };
}

/** Gives the codecs payload types and enters them into `numbers`. */
export function numberCodecs(wanted: ReturnType<typeof wantedCodecs>, numbers: Numbers): Codec[] {
	return wanted.codecs.flatMap((local) => {
		const payloadType = claim(numbers, local.payloadType, (codec) => repairs(codec) === null && matches(codec, local));
		if (payloadType === null) return [];
		const { mimeType, clockRate, channels, sdpFmtpLine } = local;
		const codec: Codec = {
			mimeType,
			payloadType,
			clockRate,
			...(channels === undefined ? {} : { channels }),
			...(sdpFmtpLine === undefined ? {} : { sdpFmtpLine }),
			rtcpFeedback: local.rtcpFeedback.map((feedback) => ({ ...feedback })),
		};
		numbers.codecs.set(payloadType, codec);
		return wanted.rtx && local.rtxPayloadType !== undefined
			? [codec, ...numberRtx(codec, local.rtxPayloadType, numbers)]
			: [codec];
	});
}

function numberRtx(repaired: Codec, preferred: number, numbers: Numbers): Codec[] {
	const payloadType = claim(numbers, preferred, (codec) => repairs(codec) === repaired.payloadType);
	return payloadType === null ? [] : [makeRtx(repaired, payloadType, numbers)];
}

function makeRtx(repaired: Codec, payloadType: number, numbers: Numbers): Codec {
	const rtx: Codec = {
		mimeType: 'video/rtx',
		payloadType,
		clockRate: repaired.clockRate,
		sdpFmtpLine: `apt=${repaired.payloadType}`,
		rtcpFeedback: [],
	};
	numbers.codecs.set(payloadType, rtx);
	return rtx;
}

/** Dynamic payload types; 64 to 95 would be taken for RTCP when it shares the port (RFC 5761, section 4). */
const DYNAMIC = [...range(96, 127), ...range(35, 63)];

function claim(numbers: Numbers, preferred: number, isIt: (codec: Codec) => boolean): number | null {
	for (const [payloadType, codec] of numbers.codecs) if (isIt(codec)) return payloadType;
	return [preferred, ...DYNAMIC].find((payloadType) => !numbers.codecs.has(payloadType)) ?? null;
}

/** Gives the header extensions that are wanted their ids and enters them into `numbers`. */
export function numberExtensions(
	kind: Kind,
	wanted: readonly HeaderExtensionControl[],
	numbers: Numbers,
): HeaderExtension[] {
	return LOCAL_EXTENSIONS[kind].flatMap(({ id: preferred, uri }) => {
		const direction = wanted.find((each) => each.uri === uri)?.direction ?? 'stopped';
		if (direction === 'stopped') return [];
		const used = [...numbers.extensions].find(([, other]) => other === uri)?.[0];
		// 15 is reserved in one-byte headers (RFC 8285, section 4.2), and above it they cannot say.
		const id = used ?? [preferred, ...range(1, 14)].find((candidate) => !numbers.extensions.has(candidate));
		if (id === undefined) return [];
		numbers.extensions.set(id, uri);
		return [direction === 'sendrecv' ? { id, uri } : { id, uri, direction }];
	});
}

function range(first: number, last: number): number[] {
	return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
