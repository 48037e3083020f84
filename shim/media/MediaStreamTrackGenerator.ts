import { contextOf } from '../rpc/context.ts';
import * as idl from '../webidl/convert.ts';
import { constructorKey, defineInterface, requireArguments } from '../webidl/interface.ts';
import { endTrack, type Kind, MediaStreamTrack } from './MediaStreamTrack.ts';
import { PacedSound } from './PacedSound.ts';
import { WrittenSource } from './WrittenSource.ts';

const initMembers = idl.dictionary({
	kind: idl.required(idl.enumeration<['audio', 'video']>('kind', ['audio', 'video'])),
});

export interface MediaStreamTrackGeneratorInit {
	kind: Kind;
}

/**
 * A track of the frames that the program writes.
 *
 * Pictures are seen as they come; one that waits for the link is replaced by the next. Sound is heard without a seam, in
 * the order in which it is written: `write()` waits while 100 ms are ahead. Where nothing is written there is silence,
 * and where timestamps leave a gap of at most a second; they may begin anew at any time.
 * @see https://www.w3.org/TR/mediacapture-transform/#video-track-generator
 */
export class MediaStreamTrackGenerator extends MediaStreamTrack {
	readonly #source: WrittenSource;
	readonly #sound: PacedSound | null;
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
		this.#source = source;
		this.#sound = kind === 'audio' ? new PacedSound(source) : null;
		this.#writable = this.#sound ? this.#soundStream(this.#sound) : this.#pictureStream();
	}

	/** Takes frames and closes them. Closing it ends the track when all is heard; aborting it, at once. */
	get writable(): WritableStream<VideoFrame | AudioData> {
		return this.#writable;
	}

	/** Microseconds of sound that was written and is not heard yet; 0 for pictures. No browser has it. */
	get queuedDuration(): number {
		return this.#sound?.queuedDuration ?? 0;
	}

	/**
	 * Drops what was written and is not heard or seen yet; each `write()` that waits resolves, and the track goes on with
	 * what is written next. Named as in WebCodecs, where `flush()` finishes what is queued and `reset()` drops it. No
	 * browser has it.
	 */
	reset(): void {
		if (this.#sound) this.#sound.reset();
		else this.#source.reset();
	}

	#soundStream(sound: PacedSound): WritableStream<VideoFrame | AudioData> {
		const size = (frame: AudioData) => {
			sound.enqueue(frame);
			return 1;
		};
		const sink: UnderlyingSink<AudioData> = {
			// The stream waits for the write that is under way before it tells abort().
			start: ({ signal }) => signal?.addEventListener('abort', () => sound.reset()),
			write: (frame) => sound.write(frame),
			close: async () => {
				await sound.drain();
				endTrack(this);
			},
			abort: () => endTrack(this),
		};
		return new WritableStream(sink, { size }) as WritableStream<VideoFrame | AudioData>;
	}

	#pictureStream(): WritableStream<VideoFrame | AudioData> {
		return new WritableStream({
			write: (frame) => this.#source.write(frame),
			close: () => endTrack(this),
			abort: () => endTrack(this),
		});
	}
}

defineInterface(MediaStreamTrackGenerator);
