import { addCandidates, type Description, type SdpType, type TransportOwners, write } from '../jsep/index.ts';
import { RTCSessionDescription } from './RTCSessionDescription.ts';
import type { Transceiver } from './transceiver.ts';

/** A description that is in force: as values, and as the object that pages see. */
export class AppliedDescription {
	readonly type: SdpType;
	/** Of an offer of ours; else empty, since BUNDLE groups say it. */
	readonly owners: TransportOwners;
	#sdp: string;
	#object: RTCSessionDescription | null = null;
	#description: Description;

	constructor(type: SdpType, sdp: string, description: Description, owners: TransportOwners = new Map()) {
		this.type = type;
		this.owners = owners;
		this.#sdp = sdp;
		this.#description = description;
	}

	/** What a page was given stays as it was: it is another object once there are more candidates. */
	get object(): RTCSessionDescription {
		this.#object ??= new RTCSessionDescription({ type: this.type, sdp: this.#sdp });
		return this.#object;
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
		this.#sdp = write(this.#description);
		this.#object = null;
	}
}

/** What createOffer() or createAnswer() made last, and the transceiver of each section. */
export interface Created {
	sdp: string;
	description: Description;
	owners: TransportOwners;
	/** By m-line index; null is data, or a section that is nobody's. */
	transceivers: (Transceiver | null)[];
}
