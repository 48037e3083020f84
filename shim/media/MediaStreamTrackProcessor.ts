import type { Remote } from '../rpc/Remote.ts';
import type { MediaHeader } from '../rpc/types.ts';
import * as idl from '../webidl/convert.ts';
import { defineInterface, requireArguments } from '../webidl/interface.ts';
import { toFrame } from './frameClasses.ts';
import { hostFrames } from './hostTracks.ts';
import { MediaStreamTrack, openOwnTrack } from './MediaStreamTrack.ts';

const initMembers = idl.dictionary({
	track: idl.required(idl.instanceOf(MediaStreamTrack)),
	maxBufferSize: idl.optional(idl.unsignedShortEnforced),
});

export interface MediaStreamTrackProcessorInit {
	track: globalThis.MediaStreamTrack;
	/** Frames that may wait to be read: 1 picture, or 10 frames of audio, unless said. */
	maxBufferSize?: number;
}

const defaultBuffer = { video: 1, audio: 10 };

/**
 * The frames of a track, each as it is read: without a reader they do not leave the worker, where the latest picture
 * and a second of audio wait. Remote audio and video are decoded while they are read.
 * @see https://www.w3.org/TR/mediacapture-transform/#track-processor
 */
export class MediaStreamTrackProcessor {
	readonly #readable: ReadableStream<VideoFrame | AudioData>;

	/** @throws {TypeError} there is no track */
	constructor(init: MediaStreamTrackProcessorInit) {
		requireArguments(arguments.length, 1, 'MediaStreamTrackProcessor');
		const { track, maxBufferSize = 0 } = initMembers(init, 'MediaStreamTrackProcessor: init');
		this.#readable =
			hostFrames(track) ??
			new ReadableStream(new FrameSource(track), {
				highWaterMark: Math.max(1, maxBufferSize || defaultBuffer[track.kind]),
			});
	}

	/** Frames; whoever reads one closes it. Ends with the track. */
	get readable(): ReadableStream<VideoFrame | AudioData> {
		return this.#readable;
	}
}

type Frame = VideoFrame | AudioData;
type Controller = ReadableStreamDefaultController<Frame>;

/** Turns what the stream wants into credit, and the media that it brings into frames. */
class FrameSource implements UnderlyingDefaultSource<Frame> {
	readonly #track: MediaStreamTrack;
	#reader: Remote<'FrameReader'> | null = null;
	#release: (() => void) | null = null;
	/** Frames that the worker may send. */
	#credit = 0;

	constructor(track: MediaStreamTrack) {
		this.#track = track;
	}

	pull(controller: Controller): void {
		const reader = this.#open(controller);
		if (!reader) return;
		const wanted = Math.max(0, controller.desiredSize ?? 0) - this.#credit;
		if (wanted <= 0) return;
		this.#credit += wanted;
		reader.credit(wanted);
	}

	cancel(): void {
		this.#close();
	}

	#open(controller: Controller): Remote<'FrameReader'> | null {
		if (this.#reader) return this.#reader;
		const track = openOwnTrack(this.#track);
		if (!track) {
			controller.close();
			return null;
		}
		const { session } = track;
		const reader = session.create('FrameReader', { track });
		this.#reader = reader;
		// Frames are expected: the process stays for them.
		this.#release = session.hold();
		reader.onmedia = (header, planes) => this.#take(controller, header, planes);
		reader.on('ended', () => this.#end(controller));
		reader.onlost = () => this.#end(controller);
		reader.on('error', ({ name, message }) => {
			this.#close();
			controller.error(new DOMException(message, name));
		});
		return reader;
	}

	#take(controller: Controller, header: MediaHeader, planes: Uint8Array<ArrayBuffer>): void {
		this.#credit--;
		controller.enqueue(toFrame(header, planes));
	}

	#end(controller: Controller): void {
		if (!this.#reader) return;
		this.#close();
		controller.close();
	}

	#close(): void {
		this.#reader?.drop();
		this.#reader = null;
		this.#release?.();
		this.#release = null;
	}
}

defineInterface(MediaStreamTrackProcessor);
