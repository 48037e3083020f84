import { addCandidates, type Description, type SdpType, write } from '../jsep/index.ts';
import { RTCSessionDescription, setSdp } from './RTCSessionDescription.ts';
import type { Transceiver } from './transceiver.ts';

/** A description that is in force: as values, and as the object that pages see. */
export class AppliedDescription {
	readonly type: SdpType;
	readonly object: RTCSessionDescription;
	#description: Description;

	constructor(type: SdpType, sdp: string, description: Description) {
		this.type = type;
		this.object = new RTCSessionDescription({ type, sdp });
		this.#description = description;
	}

	get description(): Description {
		return this.#description;
	}

	/** Whether it is of the ICE generation with this username fragment, in the section `mid`. */
	has(mid: string, usernameFragment: string): boolean {
		return this.#description.sections.some((each) => each.mid === mid && each.iceUfrag === usernameFragment);
	}

	/** Adds what a section's transport gathered, or the peer trickled, to the text too. */
	add(mid: string, candidates: readonly string[], endOfCandidates: boolean): void {
		this.#description = addCandidates(this.#description, new Map([[mid, { candidates, endOfCandidates }]]));
		setSdp(this.object, write(this.#description));
	}
}

/** What createOffer() or createAnswer() made last, and the transceiver of each section. */
export interface Created {
	sdp: string;
	description: Description;
	/** By m-line index; null is data, or a section that is nobody's. */
	transceivers: (Transceiver | null)[];
}
