import type { Built, OfferInput } from './records.ts';

/**
 * An offer, and which section stands for which transceiver.
 * @see https://www.rfc-editor.org/rfc/rfc9429#section-5.2
 */
export function buildOffer(input: OfferInput): Built {
	throw new Error(input.sessionId);
}
