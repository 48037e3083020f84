import type { Remote } from '../rpc/Remote.ts';
import type { MediaHeader } from '../rpc/types.ts';
import * as idl from '../webidl/convert.ts';
import { defineInterface, requireArguments } from '../webidl/interface.ts';
import { toFrame } from './frameClasses.ts';
import { hostFrames } from './hostTracks.ts';
import { MediaStreamTrack, openOwnTrack } from './MediaStreamTrack.ts';
import { type PixelFormat, requirePixelFormat, VIDEO_PIXEL_FORMATS } from './pixelFormats.ts';

const initMembers = idl.dictionary({
	track: idl.required(idl.instanceOf(MediaStreamTrack)),
	maxBufferSize: idl.optional(idl.unsignedShortEnforced),
	format: idl.defaulted(idl.enumeration('VideoPixelFormat', VIDEO_PIXEL_FORMATS), () => 'I420'),
});

export interface MediaStreamTrackProcessorInit {
	track: globalThis.MediaStreamTrack;
	/** Frames that may wait to be read: 1 picture, or 10 frames of audio, unless said. */
	maxBufferSize?: number;
	/**
	 * What pictures are to be in, I420 unless said: the worker converts them before they cross, which is faster than
	 * copyTo(). No browser has it, and tracks of the host's keep their own.
	 */
	format?: VideoPixelFormat;
}

const defaultBuffer = { video: 1, audio: 10 };

/**
 * The frames of a track, each as it is read: without a reader they do not leave the worker, where the latest picture
 * and a second of audio wait. Remote audio and video are decoded while they are read.
 * @see https://www.w3.org/TR/mediacapture-transform/#track-processor
 */
export class MediaStreamTrackProcessor {
	readonly #readable: ReadableStream<VideoFrame | AudioData>;

	/**
	 * @throws {TypeError} there is no track
	 * @throws {NotSupportedError} pictures are not converted to `format`
	 */
	constructor(init: MediaStreamTrackProcessorInit) {
		requireArguments(arguments.length, 1, 'MediaStreamTrackProcessor');
		const { track, maxBufferSize = 0, format } = initMembers(init, 'MediaStreamTrackProcessor: init');
		const wanted = Math.max(1, maxBufferSize || defaultBuffer[track.kind]);
		const source = new FrameSource(track, wanted, requirePixelFormat(format));
		// The source keeps what is ahead itself: the stream is to ask when a frame is read, and not before.
		this.#readable = hostFrames(track) ?? new ReadableStream(source, { highWaterMark: 0 });
	}

	/** Frames; whoever reads one closes it. Ends with the track. */
	get readable(): ReadableStream<VideoFrame | AudioData> {
		return this.#readable;
	}
}

type Frame = VideoFrame | AudioData;
type Controller = ReadableStreamDefaultController<Frame>;

/** Turns what is read into credit, and the media that it brings into frames. */
class FrameSource implements UnderlyingDefaultSource<Frame> {
	readonly #track: MediaStreamTrack;
	readonly #ahead: number;
	readonly #format: PixelFormat;
	#reader: Remote<'FrameReader'> | null = null;
	/** Frames that the worker may send. */
	#credit = 0;
	/** Frames that came before they are read. */
	readonly #frames: Frame[] = [];
	/** Ends a read that waits for a frame: while it does, the process stays for it. */
	#answer: (() => void) | null = null;

	/** @param ahead how many frames may be on their way or wait */
	constructor(track: MediaStreamTrack, ahead: number, format: PixelFormat) {
		this.#track = track;
		this.#ahead = ahead;
		this.#format = format;
	}

	start(controller: Controller): void {
		if (this.#track.readyState === 'ended') controller.close();
	}

	/** Somebody reads. */
	async pull(controller: Controller): Promise<void> {
		const reader = this.#open(controller);
		if (!reader) return;
		const frame = this.#frames.shift();
		if (frame) controller.enqueue(frame);
		this.#ask(reader);
		if (!frame) await this.#arrival(reader);
	}

	cancel(): void {
		for (const frame of this.#frames.splice(0)) frame.close();
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
		const reader = session.create('FrameReader', { track, format: this.#format });
		this.#reader = reader;
		reader.onmedia = (header, planes) => this.#take(controller, reader, header, planes);
		reader.on('ended', () => this.#end(controller));
		reader.onlost = () => this.#end(controller);
		reader.on('error', ({ name, message }) => {
			this.#close();
			controller.error(new DOMException(message, name));
		});
		return reader;
	}

	#ask(reader: Remote<'FrameReader'>): void {
		const wanted = this.#ahead - this.#credit - this.#frames.length;
		if (wanted <= 0) return;
		this.#credit += wanted;
		reader.credit(wanted);
	}

	async #arrival({ session }: Remote<'FrameReader'>): Promise<void> {
		const release = session.hold();
		await new Promise<void>((resolve) => {
			this.#answer = resolve;
		});
		this.#answer = null;
		release();
	}

	#take(
		controller: Controller,
		reader: Remote<'FrameReader'>,
		header: MediaHeader,
		planes: Uint8Array<ArrayBuffer>,
	): void {
		this.#credit--;
		const frame = toFrame(header, planes, reader.session);
		if (!this.#answer) {
			this.#frames.push(frame);
			return;
		}
		controller.enqueue(frame);
		this.#answer();
		this.#answer = null;
		this.#ask(reader);
	}

	#end(controller: Controller): void {
		if (!this.#reader) return;
		for (const frame of this.#frames.splice(0)) controller.enqueue(frame);
		this.#close();
		controller.close();
	}

	#close(): void {
		this.#reader?.drop();
		this.#reader = null;
		this.#answer?.();
	}
}

defineInterface(MediaStreamTrackProcessor);
