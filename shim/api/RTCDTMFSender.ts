import { domString, unsignedLong } from '../webidl/convert.ts';
import { defineEventHandlers, eventTargetOf } from '../webidl/eventHandlers.ts';
import { defineInterface, requireArguments, requireKey } from '../webidl/interface.ts';
import type { Dtmf } from './dtmf.ts';

/**
 * Sends the tones of a telephone's keys, as events in the stream of its sender's track.
 * @see https://www.w3.org/TR/webrtc/#rtcdtmfsender
 */
export class RTCDTMFSender extends eventTargetOf<RTCDTMFSenderEventMap>() {
	declare ontonechange: globalThis.RTCDTMFSender['ontonechange'];

	readonly #dtmf: Dtmf;

	constructor(key: unknown = undefined, dtmf?: Dtmf) {
		requireKey(key);
		super();
		this.#dtmf = dtmf!;
	}

	get canInsertDTMF(): boolean {
		return this.#dtmf.canInsert;
	}

	/** The tones that have not begun. */
	get toneBuffer(): string {
		return this.#dtmf.toneBuffer;
	}

	/**
	 * Sends `tones` in place of those that have not begun.
	 *
	 * @param tones `0` to `9`, `A` to `D`, `*`, `#`, and `,` for a pause of 2 s
	 * @param duration milliseconds of a tone, 40 to 6000
	 * @param interToneGap milliseconds between tones, 30 to 6000
	 * @throws {InvalidStateError} canInsertDTMF is false
	 * @throws {InvalidCharacterError} one of them is no tone
	 * @see https://www.w3.org/TR/webrtc/#dom-rtcdtmfsender-insertdtmf
	 */
	insertDTMF(tones: string, duration = 100, interToneGap = 70): void {
		requireArguments(arguments.length, 1, 'insertDTMF');
		const given = domString(tones, 'tones');
		const length = unsignedLong(duration, 'duration');
		this.#dtmf.insert(given, length, unsignedLong(interToneGap, 'interToneGap'));
	}
}

defineInterface(RTCDTMFSender);
defineEventHandlers(RTCDTMFSender, ['tonechange']);
