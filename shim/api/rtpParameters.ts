/**
 * The dictionaries of RTP parameters, and what may be in them.
 * @see https://www.w3.org/TR/webrtc/#rtcrtpsendparameters
 */

import { type CodecCapability, getCapabilities, type Kind } from '../jsep/index.ts';
import {
	boolean,
	type Convert,
	defaulted,
	dictionary,
	domString,
	double,
	enumeration,
	optional,
	required,
	sequence,
	unsignedLong,
	unsignedShort,
} from '../webidl/convert.ts';
import { matchesCodec } from './codecs.ts';

/** Layers of one track that we can encode at a time. */
const maxEncodings: Record<Kind, number> = { audio: 1, video: 4 };

/** RTCRtpEncodingParameters, with the member that the SVC extension adds. */
export interface EncodingParameters {
	active: boolean;
	rid?: string;
	codec?: CodecCapability;
	/** Bits a second. */
	maxBitrate?: number;
	maxFramerate?: number;
	scaleResolutionDownBy?: number;
	scalabilityMode?: string;
	priority?: RTCPriorityType;
	networkPriority?: RTCPriorityType;
}

const codecMembers = {
	channels: optional(unsignedShort),
	clockRate: required(unsignedLong),
	mimeType: required(domString),
	sdpFmtpLine: optional(domString),
};

export const toCodec = dictionary(codecMembers);
const toCodecParameters = dictionary({ ...codecMembers, payloadType: required(unsignedShort) });
const toHeaderExtension = dictionary({
	encrypted: defaulted(boolean, () => false),
	id: required(unsignedShort),
	uri: required(domString),
});
const toRtcp = dictionary({ cname: optional(domString), reducedSize: optional(boolean) });
const priority = enumeration('RTCPriorityType', ['very-low', 'low', 'medium', 'high']);

export const toEncoding = dictionary(
	{
		active: defaulted(boolean, () => true),
		codec: optional(toCodec),
		maxBitrate: optional(unsignedLong),
		maxFramerate: optional(double),
		networkPriority: optional(priority),
		priority: optional(priority),
		scalabilityMode: optional(domString),
		scaleResolutionDownBy: optional(double),
	},
	{ rid: optional(domString) },
);

/** lib.dom.d.ts does not know the last one. */
const degradationPreference = enumeration('RTCDegradationPreference', [
	'balanced',
	'maintain-framerate',
	'maintain-resolution',
	'maintain-framerate-and-resolution',
]) as Convert<RTCDegradationPreference>;

export const toSendParameters = dictionary(
	{
		degradationPreference: optional(degradationPreference),
		encodings: required(sequence(toEncoding)),
		transactionId: required(domString),
	},
	{
		codecs: required(sequence(toCodecParameters)),
		headerExtensions: required(sequence(toHeaderExtension)),
		rtcp: required(toRtcp),
	},
);

export type SendParameters = ReturnType<typeof toSendParameters>;

/** @see https://www.w3.org/TR/webrtc-svc/#scalabilitymodes* */
const scalabilityModes = /^(?:L1T[123]h?|[LS][23]T[123]h?|L[23]T[123]_KEY(?:_SHIFT)?)$/;

/** What is sent whatever was asked for: our encoders have no layers within a stream. */
export const ONE_LAYER = 'L1T1';

/** rid-id of RFC 8851, less what RFC 8852 cannot carry in the header extension: letters and digits, at most 16. */
const ridGrammar = /^[a-z\d]{1,16}$/i;

/**
 * The encodings that a new sender gets.
 *
 * @throws {TypeError} a rid is not one, is there twice, or some have one and some not
 * @throws {OperationError} a codec that we have not, several codecs, or a scalability mode that there is not
 * @throws {RangeError} a scale below 1 or a frame rate that is not positive
 * @see https://www.w3.org/TR/webrtc/#dfn-addtransceiver-sendencodings-validation-steps
 */
export function validateSendEncodings(kind: Kind, given: readonly EncodingParameters[]): EncodingParameters[] {
	// 1. – 4.
	const rids = given.flatMap(({ rid }) => (rid === undefined ? [] : [rid]));
	for (const rid of rids) if (!ridGrammar.test(rid)) throw new TypeError(`'${rid}' is no rid`);
	if (rids.length > 0 && rids.length < given.length) throw new TypeError('some encodings have a rid and some not');
	if (new Set(rids).size < rids.length) throw new TypeError(`a rid is there twice: ${rids.join(', ')}`);
	// 6.
	const { codecs } = getCapabilities(kind)!;
	for (const { codec } of given) {
		if (codec && !codecs.some((known) => matchesCodec(known, codec))) {
			throw new DOMException(`No codec ${codec.mimeType} ${codec.sdpFmtpLine ?? ''}`, 'OperationError');
		}
	}
	requireOneCodec(given.map(({ codec }) => codec));
	requireModes(given);
	// 8. – 10.
	const encodings = given.map((encoding) => (kind === 'audio' ? withoutPicture(encoding) : { ...encoding }));
	requireRanges(encodings, Number.MIN_VALUE);
	// 12. – 13.
	const scaled = encodings.some((encoding) => encoding.scaleResolutionDownBy !== undefined);
	if (scaled) for (const encoding of encodings) encoding.scaleResolutionDownBy ??= 1;
	encodings.length = Math.min(encodings.length, maxEncodings[kind]);
	// 14.
	if (kind === 'video' && !scaled) {
		for (const [index, encoding] of encodings.entries()) {
			encoding.scaleResolutionDownBy = 2 ** (encodings.length - index - 1);
		}
	}
	// 15.
	if (encodings.length === 1) delete encodings[0]!.rid;
	return encodings;
}

/** Step 11 of creating a sender. */
export function defaultEncoding(kind: Kind): EncodingParameters {
	return kind === 'video' ? { active: true, scaleResolutionDownBy: 1 } : { active: true };
}

/** The layers that a remote offer asks for. @see https://www.w3.org/TR/webrtc/#set-description, 4.6.11.2.1 – 4 */
export function proposedEncodings(rids: readonly string[]): EncodingParameters[] {
	const proposed = [...new Set(rids)].slice(0, maxEncodings.video);
	return proposed.map((rid, index) => ({
		rid,
		active: true,
		scaleResolutionDownBy: 2 ** (proposed.length - index - 1),
	}));
}

/**
 * The encodings that setParameters() is to set.
 *
 * @throws {InvalidModificationError} what may not change has, or a codec was not negotiated
 * @throws {OperationError} several codecs, or a scalability mode that there is not
 * @throws {RangeError} a scale below 1 or a negative frame rate
 * @see https://www.w3.org/TR/webrtc/#dfn-setparameters-validation-steps
 */
export function validateParameters(kind: Kind, parameters: SendParameters, last: SendParameters): EncodingParameters[] {
	const { encodings } = parameters;
	// 2. – 4.
	const choosable: CodecCapability[] = last.codecs.length > 0 ? last.codecs : getCapabilities(kind)!.codecs;
	// 6.
	if (encodings.length !== last.encodings.length) {
		throw invalidModification(`${encodings.length} encodings; there are ${last.encodings.length}`);
	}
	if (!isEqual(readOnly(parameters), readOnly(last))) throw invalidModification('a read-only parameter has changed');
	for (const { codec } of encodings) {
		if (codec && !choosable.some((known) => matchesCodec(known, codec, true))) {
			throw invalidModification(`${codec.mimeType} was not negotiated`);
		}
	}
	requireOneCodec(encodings.map(({ codec }) => codec ?? choosable[0]));
	requireModes(encodings);
	// 11. – 14.
	if (kind === 'audio') return encodings.map(withoutPicture);
	for (const encoding of encodings) encoding.scaleResolutionDownBy ??= 1;
	requireRanges(encodings, 0);
	return encodings;
}

/** All layers of a sender come from encoders of one codec. */
function requireOneCodec(codecs: readonly (CodecCapability | undefined)[]): void {
	const [first, ...others] = codecs;
	const isFirst = (codec: CodecCapability | undefined) => codec && first && matchesCodec(codec, first, true);
	if (others.every((codec) => codec === first || isFirst(codec))) return;
	throw new DOMException('The encodings of a sender have one codec', 'OperationError');
}

/** Any mode of the specification may be asked for: which is in force is said by getParameters() after negotiation. */
function requireModes(encodings: readonly EncodingParameters[]): void {
	for (const { scalabilityMode: mode } of encodings) {
		if (mode === undefined || scalabilityModes.test(mode)) continue;
		throw new DOMException(`'${mode}' is no scalability mode`, 'OperationError');
	}
}

function requireRanges(encodings: readonly EncodingParameters[], minFramerate: number): void {
	for (const { scaleResolutionDownBy: scale, maxFramerate } of encodings) {
		if (scale !== undefined && scale < 1) throw new RangeError(`scaleResolutionDownBy is ${scale}; at least 1`);
		if (maxFramerate !== undefined && maxFramerate < minFramerate) {
			throw new RangeError(`maxFramerate is ${maxFramerate}; it is a positive number`);
		}
	}
}

function withoutPicture({ scaleResolutionDownBy, maxFramerate, ...rest }: EncodingParameters): EncodingParameters {
	return rest;
}

function readOnly({ transactionId, codecs, headerExtensions, rtcp, encodings }: SendParameters): unknown {
	return { transactionId, codecs, headerExtensions, rtcp, rids: encodings.map(({ rid }) => rid ?? null) };
}

/** Equal as values, whatever the order of their members. */
export function isEqual(a: unknown, b: unknown): boolean {
	return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
	return JSON.stringify(value, (_, each: unknown) => {
		if (typeof each !== 'object' || each === null || Array.isArray(each)) return each;
		return Object.fromEntries(Object.entries(each).sort(([x], [y]) => (x < y ? -1 : 1)));
	});
}

function invalidModification(message: string): DOMException {
	return new DOMException(message, 'InvalidModificationError');
}
