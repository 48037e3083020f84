import * as idl from '../webidl/convert.ts';
import { defineInterface, requireArguments } from '../webidl/interface.ts';
import { MediaStreamTrack } from './MediaStreamTrack.ts';

const initDict = idl.dictionary({ track: idl.required(idl.instanceOf(MediaStreamTrack)) });

/**
 * A track that was added to a stream or removed from it, by the shim and not by the program.
 * @see https://www.w3.org/TR/mediacapture-streams/#mediastreamtrackevent
 */
export class MediaStreamTrackEvent extends Event {
	readonly #track: MediaStreamTrack;

	/** @throws {TypeError} no track is given */
	constructor(type: string, eventInitDict: EventInit & { track: MediaStreamTrack }) {
		requireArguments(arguments.length, 2, 'MediaStreamTrackEvent');
		super(type, eventInitDict);
		this.#track = initDict(eventInitDict, 'eventInitDict').track;
	}

	get track(): MediaStreamTrack {
		return this.#track;
	}
}

defineInterface(MediaStreamTrackEvent);
