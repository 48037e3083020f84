/** Offers, initial and subsequent. */

import { type Allotment, allotTransports, bundleGroups, transportAttributes } from './bundle.ts';
import type { Section } from './description.ts';
import { receives, sends } from './direction.ts';
import { layOut, type Slot } from './layout.ts';
import { type Numbers, numberCodecs, numberExtensions, numbersInUse, wantedCodecs } from './payloadTypes.ts';
import type { Built, OfferInput } from './records.ts';
import { closedSection, DISCARD_PORT, emptySection, RTP_PROTOCOL, SCTP_PROTOCOL, sectionByMid } from './section.ts';
import { sentStreams, withReceived } from './streams.ts';

/**
 * An offer, and which section stands for which transceiver.
 * @see https://www.rfc-editor.org/rfc/rfc9429#section-5.2
 */
export function buildOffer(input: OfferInput): Built {
	const slots = layOut(input);
	const live = slots.filter((slot) => slot.use !== 'closed');
	const groups = bundleGroups(live, input);
	const allotments = allotTransports(live, groups, input);
	const numbers = numbersInUse(input.local, input.remote);
	const sections = slots.map((slot) =>
		slot.use === 'closed'
			? closedSection(slot.section, slot.mid)
			: offeredSection(slot, allotments.get(slot.mid)!, input, numbers),
	);
	return {
		description: {
			sessionId: input.sessionId,
			sessionVersion: input.sessionVersion,
			bundle: groups,
			sections,
			attributes: [],
		},
		assignments: slots.map((slot, mlineIndex) => ({
			mlineIndex,
			mid: slot.mid,
			transceiver: slot.use === 'data' ? null : slot.transceiver,
		})),
		owners: new Map(live.map(({ mid }) => [mid, allotments.get(mid)!.owner])),
	};
}

function offeredSection(
	slot: Exclude<Slot, { use: 'closed' }>,
	allotment: Allotment,
	input: OfferInput,
	numbers: Numbers,
): Section {
	const shared = {
		mid: slot.mid,
		port: allotment.bundleOnly ? 0 : DISCARD_PORT,
		bundleOnly: allotment.bundleOnly,
		extmapAllowMixed: true,
		// Always actpass, even where roles are settled: the answerer keeps its own (RFC 9429, section 5.2.2).
		...transportAttributes(allotment, input.fingerprints, 'actpass'),
	};
	if (slot.use === 'media') return { ...mediaSection(slot, input, numbers), ...shared };
	return {
		...emptySection('application', sectionByMid(input.local, slot.mid)?.protocol ?? SCTP_PROTOCOL),
		...shared,
		formats: ['webrtc-datachannel'],
		sctpPort: input.sctp!.port,
		maxMessageSize: input.sctp!.maxMessageSize,
	};
}

function mediaSection(slot: Extract<Slot, { use: 'media' }>, input: OfferInput, numbers: Numbers): Section {
	const transceiver = input.transceivers[slot.transceiver]!;
	const { kind, direction, codecPreferences, headerExtensions } = transceiver;
	const previous = sectionByMid(input.local, slot.mid);
	const codecs = numberCodecs(wantedCodecs(kind, codecPreferences, previous?.codecs), numbers);
	const sent = sends(direction) ? sentStreams(transceiver, codecs) : null;
	return {
		...emptySection(kind, previous?.protocol ?? RTP_PROTOCOL),
		formats: codecs.map(({ payloadType }) => String(payloadType)),
		direction,
		codecs,
		headerExtensions: numberExtensions(kind, headerExtensions, numbers),
		rtcpMux: true,
		rtcpRsize: true,
		...withReceived(sent, receives(direction) ? sectionByMid(input.remote, slot.mid) : undefined),
	};
}
