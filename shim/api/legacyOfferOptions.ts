import { receives, withReceive } from '../jsep/index.ts';
import type { Connection } from './connection.ts';

/** What older code gives to createOffer(); newer code makes transceivers. */
export interface LegacyOfferOptions {
	offerToReceiveAudio?: boolean;
	offerToReceiveVideo?: boolean;
}

/**
 * Makes the transceivers that the options ask for, or turns receiving off.
 * @see https://www.w3.org/TR/webrtc/#legacy-configuration-extensions
 */
export function applyLegacyOptions(connection: Connection, options: LegacyOfferOptions): void {
	for (const [kind, wanted] of [
		['audio', options.offerToReceiveAudio],
		['video', options.offerToReceiveVideo],
	] as const) {
		if (wanted === undefined) continue;
		const live = connection.transceivers.filter((each) => each.kind === kind && !each.stopping);
		if (!wanted) {
			for (const each of live) each.direction = withReceive(each.direction, false);
		} else if (!live.some(({ direction }) => receives(direction))) {
			connection.addTransceiver({ kind, origin: 'addTransceiver', direction: 'recvonly' });
		}
	}
}
