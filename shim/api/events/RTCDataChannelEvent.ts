import { dictionary, instanceOf, required } from '../../webidl/convert.ts';
import { defineInterface, requireArguments } from '../../webidl/interface.ts';
import { RTCDataChannel } from '../RTCDataChannel.ts';
import { eventInit } from './eventInit.ts';

const toInit = dictionary({ channel: required(instanceOf(RTCDataChannel)) }, eventInit);

/** @see https://www.w3.org/TR/webrtc/#rtcdatachannelevent */
export class RTCDataChannelEvent extends Event {
	readonly #channel: RTCDataChannel;

	constructor(type: string, eventInitDict: RTCDataChannelEventInit) {
		requireArguments(arguments.length, 2, 'RTCDataChannelEvent');
		const { channel, ...init } = toInit(eventInitDict, 'eventInitDict');
		super(type, init);
		this.#channel = channel;
	}

	get channel(): RTCDataChannel {
		return this.#channel;
	}
}

defineInterface(RTCDataChannelEvent);
