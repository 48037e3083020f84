import { defaulted, dictionary, domString, enumeration, required } from '../webidl/convert.ts';
import { defineInterface, requireArguments } from '../webidl/interface.ts';

export const sdpType = enumeration('RTCSdpType', ['offer', 'pranswer', 'answer', 'rollback']);

/** RTCSessionDescriptionInit, whose type is required. */
export const toDescriptionInit = dictionary({ sdp: defaulted(domString, () => ''), type: required(sdpType) });

/** Adds to a description in force what was gathered since. */
export let setSdp: (object: RTCSessionDescription, sdp: string) => void;

/** @see https://www.w3.org/TR/webrtc/#rtcsessiondescription-class */
export class RTCSessionDescription {
	readonly #type: RTCSdpType;
	#sdp: string;

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

	static {
		setSdp = (object, sdp) => {
			object.#sdp = sdp;
		};
	}
}

defineInterface(RTCSessionDescription);
