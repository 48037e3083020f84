import { contextOf } from '../rpc/context.ts';
import * as idl from '../webidl/convert.ts';
import { constructorKey, defineInterface, requireArguments } from '../webidl/interface.ts';
import { endTrack, type Kind, MediaStreamTrack } from './MediaStreamTrack.ts';
import { WrittenSource } from './WrittenSource.ts';

const initMembers = idl.dictionary({
	kind: idl.required(idl.enumeration<['audio', 'video']>('kind', ['audio', 'video'])),
});

export interface MediaStreamTrackGeneratorInit {
	kind: Kind;
}

/**
 * A track of the frames that the program writes, at the pace at which it writes them. Pictures are I420; one that
 * waits for the link is replaced by the next. Sound may be a second ahead of the link, and is dropped beyond.
 * @see https://www.w3.org/TR/mediacapture-transform/#video-track-generator
 */
export class MediaStreamTrackGenerator extends MediaStreamTrack {
	readonly #writable: WritableStream<VideoFrame | AudioData>;

	/**
	 * @param init its kind, alone or in a dictionary
	 * @throws {TypeError} the kind is neither audio nor video
	 */
	constructor(init: MediaStreamTrackGeneratorInit | Kind) {
		requireArguments(arguments.length, 1, 'MediaStreamTrackGenerator');
		const { kind } = initMembers(idl.isObject(init) ? init : { kind: init }, 'MediaStreamTrackGenerator: init');
		const source = new WrittenSource(contextOf(new.target), kind);
		super(constructorKey, { kind, source });
		this.#writable = new WritableStream({
			write: (frame) => source.write(frame),
			close: () => endTrack(this),
			abort: () => endTrack(this),
		});
	}

	/** Takes frames and closes them. Closing it ends the track. */
	get writable(): WritableStream<VideoFrame | AudioData> {
		return this.#writable;
	}
}

defineInterface(MediaStreamTrackGenerator);
