import { defaulted, dictionary, domString } from '../../webidl/convert.ts';
import { defineInterface, requireArguments } from '../../webidl/interface.ts';
import { eventInit } from './eventInit.ts';

const toInit = dictionary({ tone: defaulted(domString, () => '') }, eventInit);

/** @see https://www.w3.org/TR/webrtc/#rtcdtmftonechangeevent */
export class RTCDTMFToneChangeEvent extends Event {
	readonly #tone: string;

	constructor(type: string, eventInitDict: RTCDTMFToneChangeEventInit = {}) {
		requireArguments(arguments.length, 1, 'RTCDTMFToneChangeEvent');
		const { tone, ...init } = toInit(eventInitDict, 'eventInitDict');
		super(type, init);
		this.#tone = tone;
	}

	/** The tone that has begun; empty when all are over. */
	get tone(): string {
		return this.#tone;
	}
}

defineInterface(RTCDTMFToneChangeEvent);
