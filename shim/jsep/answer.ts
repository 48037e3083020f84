/** Answers. */

import { answerGroups, answerTransports } from './answerBundle.ts';
import { carriesMedia, type LocalCodec } from './capabilities.ts';
import { answerFormat, commonFeedback, matches, repairs } from './codecs.ts';
import type { Codec, Kind, Section } from './description.ts';
import { intersectDirections, receives, reverseDirection, sends } from './direction.ts';
import { answerExtensions } from './headerExtensions.ts';
import { wantedCodecs } from './payloadTypes.ts';
import type { AnswerInput, Built, TransceiverRecord } from './records.ts';
import { closedSection, DISCARD_PORT, emptySection, isData, isMedia } from './section.ts';
import { layersOf, sentStreams, withReceived } from './streams.ts';

/**
 * The answer to `input.remote`. Transceivers were associated before (associateRemote), so that each has its mid.
 * A section that nothing of ours fits is rejected.
 * @see https://www.rfc-editor.org/rfc/rfc9429#section-5.3
 */
export function buildAnswer(input: AnswerInput): Built {
	const { remote, transceivers } = input;
	const drafts = remote.sections.map((offered) => draftSection(offered, input));
	const bundle = answerGroups(
		drafts.flatMap((draft) => draft?.mid ?? []),
		input,
	);
	const transports = answerTransports(bundle.accepted, input);
	const sections = remote.sections.map((offered, index) => {
		const draft = drafts[index];
		const transport = draft && transports.get(draft.mid);
		return transport ? { ...draft, ...transport } : closedSection(offered);
	});
	return {
		description: {
			sessionId: input.sessionId,
			sessionVersion: input.sessionVersion,
			bundle: bundle.groups,
			sections,
			attributes: [],
		},
		assignments: sections.map(({ mid }, mlineIndex) => {
			const transceiver = transceivers.findIndex((record) => record.mid === mid);
			return { mlineIndex, mid, transceiver: transceiver < 0 ? null : transceiver };
		}),
		owners: new Map(bundle.accepted.flatMap((members) => members.map((mid) => [mid, members[0]!]))),
	};
}

/** The section less its transport; null rejects it. */
function draftSection(offered: Section, input: AnswerInput): Section | null {
	if (offered.rejected) return null;
	if (isData(offered)) return dataSection(offered, input);
	const transceiver = input.transceivers.find((record) => record.mid === offered.mid);
	// A transceiver that is stopping receives and sends no more; its section is closed by an offer of ours.
	if (!isMedia(offered) || !transceiver || transceiver.stopped) return null;
	// What has no SRTP keys by DTLS is not ours (RFC 8827, section 6.5).
	if (!/RTP\/SAVPF?$/.test(offered.protocol)) return null;
	return mediaSection(offered, transceiver);
}

function dataSection(offered: Section, { sctp }: AnswerInput): Section | null {
	if (!offered.protocol.endsWith('DTLS/SCTP') || offered.sctpPort === undefined) return null;
	return {
		...base(offered),
		formats: ['webrtc-datachannel'],
		sctpPort: sctp.port,
		maxMessageSize: sctp.maxMessageSize,
	};
}

function mediaSection(offered: Section & { kind: Kind }, transceiver: TransceiverRecord): Section | null {
	const codecs = answerCodecs(offered, transceiver);
	if (!codecs.some(carriesMedia)) return null;
	const direction = intersectDirections(transceiver.direction, reverseDirection(offered.direction));
	const layers = layersOf(offered, 'recv').map(({ rid }) => rid);
	const sent = sends(direction) ? sentStreams(transceiver, codecs, layers) : null;
	return {
		...base(offered),
		formats: codecs.map(({ payloadType }) => String(payloadType)),
		direction,
		codecs,
		headerExtensions: answerExtensions(offered.headerExtensions, transceiver.headerExtensions),
		rtcpMux: true,
		rtcpRsize: offered.rtcpRsize,
		...withReceived(sent, receives(direction) ? offered : undefined),
	};
}

const base = (offered: Section): Section => ({
	...emptySection(offered.kind, offered.protocol),
	mid: offered.mid,
	port: DISCARD_PORT,
	extmapAllowMixed: offered.extmapAllowMixed,
});

/** Payload types are the offer's; the order too, unless ours is preferred. */
function answerCodecs(offered: Section & { kind: Kind }, { codecPreferences }: TransceiverRecord): Codec[] {
	const wanted = wantedCodecs(offered.kind, codecPreferences);
	const pairs = offered.codecs.flatMap((codec) => {
		const local = repairs(codec) === null ? wanted.codecs.find((own) => matches(own, codec)) : undefined;
		return local ? [{ codec, local }] : [];
	});
	if (codecPreferences.length > 0)
		pairs.sort((a, b) => wanted.codecs.indexOf(a.local) - wanted.codecs.indexOf(b.local));
	return pairs.flatMap(({ codec, local }) => {
		const repair = offered.codecs.find((other) => repairs(other) === codec.payloadType);
		const accepted = answerCodec(codec, local);
		return repair && wanted.rtx && local.rtxPayloadType !== undefined
			? [accepted, { ...repair, mimeType: `${offered.kind}/rtx`, rtcpFeedback: [] }]
			: [accepted];
	});
}

function answerCodec(offered: Codec, local: LocalCodec): Codec {
	const format = answerFormat(local.sdpFmtpLine, offered);
	return {
		mimeType: local.mimeType,
		payloadType: offered.payloadType,
		clockRate: local.clockRate,
		...(local.channels === undefined ? {} : { channels: local.channels }),
		...(format === undefined ? {} : { sdpFmtpLine: format }),
		rtcpFeedback: commonFeedback(offered.rtcpFeedback, local.rtcpFeedback),
	};
}
