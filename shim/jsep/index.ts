/**
 * Negotiation: values in, values out. Start here; each export is one file.
 * @see https://www.rfc-editor.org/rfc/rfc9429
 */
export { buildAnswer } from './answer.ts';
export { type Association, associateRemote } from './associate.ts';
export { addCandidates, type CandidateList, type CandidatePlace, candidateSections } from './candidates.ts';
export {
	type Capabilities,
	type CodecCapability,
	checkCodecPreferences,
	getCapabilities,
	type HeaderExtensionCapability,
} from './capabilities.ts';
export { checkLocal, type LocalCheck } from './checkLocal.ts';
export { checkRemote, type RemoteCheck } from './checkRemote.ts';
export type * from './description.ts';
export { intersectDirections, receives, reverseDirection, sends, withReceive, withSend } from './direction.ts';
export { type Problem, SdpError } from './errors.ts';
export { allExtensions, checkExtensions, type HeaderExtensionControl } from './headerExtensions.ts';
export {
	type DtlsParameters,
	interpretMedia,
	interpretSctp,
	interpretTransport,
	isAnotherAssociation,
	type MediaParameters,
	type ReceiveParameters,
	type SctpParameters,
	type SendParameters,
	type TransportParameters,
	type WireCodec,
} from './interpret.ts';
export { negotiatedOwners } from './negotiatedOwners.ts';
export { buildOffer } from './offer.ts';
export { parse } from './parse.ts';
export type * from './records.ts';
export { layersOf } from './streams.ts';
export { write } from './write.ts';
