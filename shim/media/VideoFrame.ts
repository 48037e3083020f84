import * as idl from '../webidl/convert.ts';
import { defineInterface, requireArguments } from '../webidl/interface.ts';
import { bytesIn, bytesOf, copyPlanes, i420Planes, type Rect } from './planes.ts';

const initMembers = idl.dictionary({
	format: idl.required(idl.domString),
	codedWidth: idl.required(idl.unsignedLongEnforced),
	codedHeight: idl.required(idl.unsignedLongEnforced),
	timestamp: idl.required(idl.double),
	duration: idl.optional(idl.double),
	layout: idl.optional((value) => value as PlaneLayout[]),
});

/** What the clones of a frame share. */
interface Picture {
	bytes: Uint8Array;
	width: number;
	height: number;
}

/**
 * A picture in I420, for hosts that have no VideoFrame of their own.
 * @see https://www.w3.org/TR/webcodecs/#videoframe-interface
 */
export class VideoFrame {
	#picture: Picture | null;
	readonly #timestamp: number;
	readonly #duration: number | null;

	/**
	 * @param data the planes; they are copied. Or a frame, whose picture the new one shares
	 * @param init for data: `format` ('I420' alone), `codedWidth`, `codedHeight` and `timestamp` are required
	 * @throws {TypeError} a member is missing, or data is too short
	 * @throws {NotSupportedError} the format is another one
	 */
	constructor(data: AllowSharedBufferSource | VideoFrame, init?: VideoFrameBufferInit | VideoFrameInit) {
		requireArguments(arguments.length, 1, 'VideoFrame');
		if (data instanceof VideoFrame) {
			this.#picture = data.#open();
			this.#timestamp = init?.timestamp ?? data.#timestamp;
			this.#duration = init?.duration ?? data.#duration;
			return;
		}
		const { format, codedWidth, codedHeight, timestamp, duration, layout } = initMembers(init, 'VideoFrame: init');
		requireI420(format);
		if (codedWidth === 0 || codedHeight === 0) throw new TypeError(`A frame of ${codedWidth}x${codedHeight}`);
		this.#picture = pack(bytesIn(data, 'VideoFrame: data'), codedWidth, codedHeight, layout);
		this.#timestamp = Math.trunc(timestamp);
		this.#duration = duration === undefined ? null : Math.trunc(duration);
	}

	get format(): VideoPixelFormat | null {
		return this.#picture && 'I420';
	}

	get codedWidth(): number {
		return this.#picture?.width ?? 0;
	}

	get codedHeight(): number {
		return this.#picture?.height ?? 0;
	}

	get codedRect(): Rect | null {
		return this.#picture && { x: 0, y: 0, width: this.#picture.width, height: this.#picture.height };
	}

	get visibleRect(): Rect | null {
		return this.codedRect;
	}

	get displayWidth(): number {
		return this.codedWidth;
	}

	get displayHeight(): number {
		return this.codedHeight;
	}

	/** Microseconds. */
	get timestamp(): number {
		return this.#timestamp;
	}

	/** Microseconds. */
	get duration(): number | null {
		return this.#duration;
	}

	get colorSpace(): VideoColorSpaceInit {
		return { primaries: null, transfer: null, matrix: 'smpte170m', fullRange: false };
	}

	/**
	 * Bytes that copyTo needs.
	 *
	 * @throws {InvalidStateError} the frame is closed
	 */
	allocationSize(options: VideoFrameCopyToOptions = {}): number {
		return bytesOf(this.#target(this.#open(), options));
	}

	/**
	 * Copies the planes Y, U, V into `destination`.
	 *
	 * @param options `rect`, a part of the picture, of even sides; `layout`, where the planes are to go
	 * @returns where they went
	 * @throws {InvalidStateError} the frame is closed
	 * @throws {TypeError} the destination is too small
	 * @throws {NotSupportedError} another format than I420 is asked for
	 */
	async copyTo(destination: AllowSharedBufferSource, options: VideoFrameCopyToOptions = {}): Promise<PlaneLayout[]> {
		const { bytes, width, height } = this.#open();
		const to = this.#target({ bytes, width, height }, options);
		const target = bytesIn(destination, 'destination');
		if (target.byteLength < bytesOf(to)) throw new TypeError(`${target.byteLength} bytes; ${bytesOf(to)} are needed`);
		copyPlanes(bytes, i420Planes({ x: 0, y: 0, width, height }), target, to);
		return to.map(({ offset, stride }) => ({ offset, stride }));
	}

	/** @throws {InvalidStateError} the frame is closed */
	clone(): VideoFrame {
		return new VideoFrame(this);
	}

	/** Lets go of the picture. */
	close(): void {
		this.#picture = null;
	}

	#open(): Picture {
		if (this.#picture) return this.#picture;
		throw new DOMException('The frame is closed', 'InvalidStateError');
	}

	#target({ width, height }: Picture, { rect, layout, format = 'I420' }: VideoFrameCopyToOptions) {
		requireI420(format);
		const { x = 0, y = 0, width: w = width, height: h = height } = rect ?? {};
		if (x % 2 || y % 2 || x < 0 || y < 0 || w <= 0 || h <= 0 || x + w > width || y + h > height) {
			throw new TypeError(`rect ${x},${y} ${w}x${h} of a picture of ${width}x${height}`);
		}
		return i420Planes({ x, y, width: w, height: h }, layout);
	}
}

function requireI420(format: string): void {
	if (format !== 'I420') throw new DOMException(`Frames are I420 here, not ${format}`, 'NotSupportedError');
}

function pack(bytes: Uint8Array, width: number, height: number, layout?: readonly PlaneLayout[]): Picture {
	const whole = { x: 0, y: 0, width, height };
	const from = i420Planes(whole, layout);
	if (bytes.byteLength < bytesOf(from))
		throw new TypeError(`${bytes.byteLength} bytes; I420 of ${width}x${height} has ${bytesOf(from)}`);
	const to = i420Planes(whole);
	if (!layout) return { bytes: bytes.slice(0, bytesOf(to)), width, height };
	const packed = new Uint8Array(bytesOf(to));
	copyPlanes(bytes, from, packed, to);
	return { bytes: packed, width, height };
}

defineInterface(VideoFrame);
