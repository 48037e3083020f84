import { defaulted, dictionary, domString, enumeration, required } from '../webidl/convert.ts';
import { defineInterface, requireArguments } from '../webidl/interface.ts';

export const sdpType = enumeration('RTCSdpType', ['offer', 'pranswer', 'answer', 'rollback']);

/** RTCSessionDescriptionInit, whose type is required. */
export const toDescriptionInit = dictionary({ sdp: defaulted(domString, () => ''), type: required(sdpType) });

/** @see https://www.w3.org/TR/webrtc/#rtcsessiondescription-class */
export class RTCSessionDescription {
	readonly #type: RTCSdpType;
	readonly #sdp: string;

	constructor(descriptionInitDict: RTCSessionDescriptionInit) {
		requireArguments(arguments.length, 1, 'RTCSessionDescription');
		const { type, sdp } = toDescriptionInit(descriptionInitDict, 'descriptionInitDict');
		this.#type = type;
		this.#sdp = sdp;
	}

	get type(): RTCSdpType {
		return this.#type;
	}

	get sdp(): string {
		return this.#sdp;
	}

	toJSON(): { type: RTCSdpType; sdp: string } {
		return { type: this.#type, sdp: this.#sdp };
	}
}

defineInterface(RTCSessionDescription);
