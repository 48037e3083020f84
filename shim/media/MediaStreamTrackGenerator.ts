import { contextOf } from '../rpc/context.ts';
import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';
import * as idl from '../webidl/convert.ts';
import { constructorKey, defineInterface, requireArguments } from '../webidl/interface.ts';
import { fromFrame } from './frameClasses.ts';
import { LocalSource } from './LocalSource.ts';
import { endTrack, type Kind, MediaStreamTrack } from './MediaStreamTrack.ts';

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
		const source = new WrittenSource(contextOf(new.target).session(), kind);
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

/** A source of type 'frames' with its writer, in the session where it was made. */
class WrittenSource extends LocalSource {
	readonly #kind: Kind;
	readonly #writer: Remote<'FrameWriter'>;
	#closed = false;

	constructor(home: Session, kind: Kind) {
		super(home, { type: 'frames', [kind]: {} });
		this.#kind = kind;
		this.#writer = home.create('FrameWriter', { source: this.remote(home).id });
	}

	override remote(session: Session): Remote<'MediaSource'> {
		if (session === this.home) return super.remote(session);
		throw new DOMException('A written track can be sent only by connections of its own session', 'NotSupportedError');
	}

	/**
	 * @throws {TypeError} it is no frame of the track's kind
	 * @throws {InvalidStateError} the track has ended
	 */
	async write(frame: VideoFrame | AudioData): Promise<void> {
		if (this.#closed) throw new DOMException('The track has ended', 'InvalidStateError');
		const { header, planes } = await fromFrame(this.#kind, frame);
		frame.close();
		this.#writer.sendMedia(header, planes);
	}

	override close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#writer.drop();
		super.close();
	}
}

defineInterface(MediaStreamTrackGenerator);
