import { dictionary, instanceOf, required } from '../../webidl/convert.ts';
import { defineInterface, requireArguments } from '../../webidl/interface.ts';
import { RTCError } from '../RTCError.ts';
import { eventInit } from './eventInit.ts';

const toInit = dictionary({ error: required(instanceOf(RTCError)) }, eventInit);

/** @see https://www.w3.org/TR/webrtc/#rtcerrorevent-interface */
export class RTCErrorEvent extends Event {
	readonly #error: RTCError;

	constructor(type: string, eventInitDict: RTCErrorEventInit) {
		requireArguments(arguments.length, 2, 'RTCErrorEvent');
		const { error, ...init } = toInit(eventInitDict, 'eventInitDict');
		super(type, init);
		this.#error = error;
	}

	get error(): RTCError {
		return this.#error;
	}
}

defineInterface(RTCErrorEvent);
