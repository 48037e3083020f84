import { contextOf } from '../rpc/context.ts';
import type { Session } from '../rpc/Session.ts';
import * as idl from '../webidl/convert.ts';
import { defineInterface, requireArguments } from '../webidl/interface.ts';
import { arrayBuffer, bytesIn, takeBytes } from './buffers.ts';
import { convertPicture } from './convertPicture.ts';
import { domRect } from './FrameRect.ts';
import { isRgb, opaque, type PixelFormat, requirePixelFormat, samplings, VIDEO_PIXEL_FORMATS } from './pixelFormats.ts';
import { bytesOf, copyPlanes, parseRect, planesOf, type Rect } from './planes.ts';
import { REC709, SRGB, VideoColorSpace } from './VideoColorSpace.ts';

const pixelFormat = idl.enumeration('VideoPixelFormat', VIDEO_PIXEL_FORMATS);
const rectMembers = idl.dictionary({
	x: idl.defaulted(idl.unrestrictedDouble, () => 0),
	y: idl.defaulted(idl.unrestrictedDouble, () => 0),
	width: idl.defaulted(idl.unrestrictedDouble, () => 0),
	height: idl.defaulted(idl.unrestrictedDouble, () => 0),
});
const layoutMembers = idl.sequence(
	idl.dictionary({
		offset: idl.required(idl.unsignedLongEnforced),
		stride: idl.required(idl.unsignedLongEnforced),
	}),
);
const bufferMembers = idl.dictionary({
	format: idl.required(pixelFormat),
	codedWidth: idl.required(idl.unsignedLongEnforced),
	codedHeight: idl.required(idl.unsignedLongEnforced),
	timestamp: idl.required(idl.longLongEnforced),
	duration: idl.optional(idl.unsignedLongLongEnforced),
	layout: idl.optional(layoutMembers),
	visibleRect: idl.optional(rectMembers),
	displayWidth: idl.optional(idl.unsignedLongEnforced),
	displayHeight: idl.optional(idl.unsignedLongEnforced),
	colorSpace: idl.optional((value) => new VideoColorSpace(value as VideoColorSpaceInit)),
	transfer: idl.defaulted(idl.sequence(arrayBuffer), () => []),
});
const frameMembers = idl.dictionary({
	timestamp: idl.optional(idl.longLongEnforced),
	duration: idl.optional(idl.unsignedLongLongEnforced),
	alpha: idl.defaulted(idl.enumeration('AlphaOption', ['keep', 'discard']), () => 'keep'),
	visibleRect: idl.optional(rectMembers),
	displayWidth: idl.optional(idl.unsignedLongEnforced),
	displayHeight: idl.optional(idl.unsignedLongEnforced),
});
const copyMembers = idl.dictionary({
	rect: idl.optional(rectMembers),
	layout: idl.optional(layoutMembers),
	format: idl.optional(pixelFormat),
	colorSpace: idl.defaulted(idl.enumeration('PredefinedColorSpace', ['srgb', 'display-p3']), () => 'srgb'),
});

/** What the clones of a frame share: planes without padding. */
interface Picture {
	readonly bytes: Uint8Array;
	readonly format: PixelFormat;
	readonly width: number;
	readonly height: number;
}

/** What a frame says of its picture. */
interface View {
	readonly visible: Rect;
	readonly displayWidth: number;
	readonly displayHeight: number;
	readonly colorSpace: VideoColorSpace;
}

interface Target {
	format: PixelFormat;
	rect: Rect;
	planes: ReturnType<typeof planesOf>;
}

const CLOSED: View = {
	visible: { x: 0, y: 0, width: 0, height: 0 },
	displayWidth: 0,
	displayHeight: 0,
	colorSpace: new VideoColorSpace(),
};

/** The whole of a frame that shows all of its picture: its planes without padding; null for any other. */
export let wholePlanes: (frame: VideoFrame) => Uint8Array | null;

/** Says which session converts a frame, for one that came out of a session. */
export let convertIn: (frame: VideoFrame, session: Session) => void;

/**
 * A picture, for hosts that have no VideoFrame of their own.
 * @see https://www.w3.org/TR/webcodecs/#videoframe-interface
 */
export class VideoFrame {
	#picture: Picture | null;
	#view: View;
	#session: () => Session;
	readonly #timestamp: number;
	readonly #duration: number | null;

	/**
	 * @param data the planes; they are copied, unless `init.transfer` has their buffer. Or a frame, whose picture the new
	 * one shares
	 * @param init for data: `format`, `codedWidth`, `codedHeight` and `timestamp` are required
	 * @throws {TypeError} a member is missing or does not fit, or data is too short
	 * @throws {NotSupportedError} the format has more than 8 bits, or is I422 or I444
	 * @throws {DataCloneError} `transfer` has a buffer twice, or one that is detached
	 */
	constructor(
		data: AllowSharedBufferSource | VideoFrame | CanvasImageSource,
		init?: VideoFrameBufferInit | VideoFrameInit,
	) {
		requireArguments(arguments.length, 1, 'VideoFrame');
		this.#session = () => contextOf(new.target).session();
		if (data instanceof VideoFrame) {
			const {
				timestamp = data.#timestamp,
				duration = data.#duration,
				...rest
			} = frameMembers(init, 'VideoFrame: init');
			this.#session = data.#session;
			this.#picture = rest.alpha === 'discard' ? withoutAlpha(data.#open()) : data.#open();
			this.#view = viewOf(this.#picture, data.#view, rest);
			this.#timestamp = timestamp;
			this.#duration = duration;
			return;
		}
		const members = bufferMembers(init, 'VideoFrame: init');
		this.#picture = pictureIn(bytesIn(data as AllowSharedBufferSource, 'VideoFrame: data'), members);
		const { width, height, format } = this.#picture;
		const { timestamp, duration = null, colorSpace, displayWidth, displayHeight } = members;
		const whole: View = {
			visible: { x: 0, y: 0, width, height },
			displayWidth: width,
			displayHeight: height,
			// Pick Color Space: what is not said is sRGB or BT.709.
			colorSpace: colorSpace ?? new VideoColorSpace(isRgb(format) ? SRGB : REC709),
		};
		this.#view = viewOf(this.#picture, whole, { displayWidth, displayHeight });
		this.#timestamp = timestamp;
		this.#duration = duration;
	}

	get format(): VideoPixelFormat | null {
		return this.#picture?.format ?? null;
	}

	get codedWidth(): number {
		return this.#picture?.width ?? 0;
	}

	get codedHeight(): number {
		return this.#picture?.height ?? 0;
	}

	get codedRect(): DOMRectReadOnly | null {
		return this.#picture && domRect({ x: 0, y: 0, width: this.#picture.width, height: this.#picture.height });
	}

	get visibleRect(): DOMRectReadOnly | null {
		return this.#picture && domRect(this.#view.visible);
	}

	get displayWidth(): number {
		return this.#view.displayWidth;
	}

	get displayHeight(): number {
		return this.#view.displayHeight;
	}

	/** Microseconds. */
	get timestamp(): number {
		return this.#timestamp;
	}

	/** Microseconds. */
	get duration(): number | null {
		return this.#duration;
	}

	get colorSpace(): VideoColorSpace {
		return this.#view.colorSpace;
	}

	/**
	 * Bytes that copyTo needs.
	 *
	 * @throws {InvalidStateError} the frame is closed
	 * @throws {TypeError} the rectangle or layout does not fit
	 * @throws {NotSupportedError} the format is none that is converted to
	 */
	allocationSize(options: VideoFrameCopyToOptions = {}): number {
		return bytesOf(this.#target(this.#open(), options).planes);
	}

	/**
	 * Copies the planes into `destination`, converted in the worker if `options.format` is another than the frame's.
	 * That may be any of I420, I420A, NV12, RGBA, RGBX, BGRA and BGRX, of which browsers take the last four.
	 *
	 * @param options `rect`, a part of the picture; `layout`, where the planes are to go
	 * @returns where they went
	 * @throws {InvalidStateError} the frame is closed, or the session that converts is lost
	 * @throws {TypeError} the rectangle or layout does not fit, or the destination is too small
	 * @throws {NotSupportedError} `colorSpace` is display-p3, or the format is none that is converted to
	 */
	async copyTo(destination: AllowSharedBufferSource, options: VideoFrameCopyToOptions = {}): Promise<PlaneLayout[]> {
		requireArguments(arguments.length, 1, 'VideoFrame.copyTo');
		const picture = this.#open();
		const { format, rect, planes } = this.#target(picture, options);
		const size = bytesOf(planes);
		const target = bytesIn(destination, 'destination');
		if (target.byteLength < size) throw new TypeError(`${target.byteLength} bytes; ${size} are needed`);
		if (format === picture.format) {
			const { bytes, width, height } = picture;
			copyPlanes(bytes, planesOf(format, { x: 0, y: 0, width, height }), target, planes);
		} else await this.#convert(picture, format, rect, target, options.layout);
		return planes.map(({ offset, stride }) => ({ offset, stride }));
	}

	/** @throws {InvalidStateError} the frame is closed */
	clone(): VideoFrame {
		return new VideoFrame(this);
	}

	/** Lets go of the picture. */
	close(): void {
		this.#picture = null;
		this.#view = CLOSED;
	}

	#open(): Picture {
		if (this.#picture) return this.#picture;
		throw new DOMException('The frame is closed', 'InvalidStateError');
	}

	/** @see https://www.w3.org/TR/webcodecs/#videoframe-parse-videoframecopytooptions */
	#target(picture: Picture, options: VideoFrameCopyToOptions): Target {
		const given = copyMembers(options, 'options');
		const format = given.format === undefined ? picture.format : requirePixelFormat(given.format);
		if (format !== picture.format && given.colorSpace !== 'srgb') {
			throw new DOMException(`Pictures are not converted to ${given.colorSpace}`, 'NotSupportedError');
		}
		const rect = parseRect(given.rect, this.#view.visible, picture, format);
		return { format, rect, planes: planesOf(format, rect, given.layout) };
	}

	async #convert(
		picture: Picture,
		format: PixelFormat,
		rect: Rect,
		target: Uint8Array,
		layout?: PlaneLayout[],
	): Promise<void> {
		const { colorSpace } = this.#view;
		const whole = toSamples(rect, picture);
		const planes = cut(picture, whole);
		const { width, height } = whole;
		const header = { format: picture.format, width, height, timestamp: 0 };
		const { matrix, fullRange } = isRgb(picture.format) ? REC709 : colorSpace;
		// Where nothing is said Chromium takes BT.601, as WebRTC's pictures are.
		const to = { format, matrix: matrix ?? 'smpte170m', fullRange: fullRange ?? false };
		const converted = await convertPicture(this.#session(), header, planes, to);
		const part = { ...rect, x: rect.x - whole.x, y: rect.y - whole.y };
		copyPlanes(converted, planesOf(format, { x: 0, y: 0, width, height }), target, planesOf(format, part, layout));
	}

	/** A frame is one of every shim's VideoFrame, whichever read it. */
	static [Symbol.hasInstance](value: unknown): value is VideoFrame {
		return typeof value === 'object' && value !== null && #picture in value;
	}

	static {
		wholePlanes = (frame) => {
			const { bytes, width, height } = frame.#open();
			const { visible } = frame.#view;
			return visible.width === width && visible.height === height ? bytes : null;
		};
		convertIn = (frame, session) => {
			frame.#session = () => session;
		};
	}
}

function pictureIn(data: Uint8Array, init: ReturnType<typeof bufferMembers>): Picture {
	const { codedWidth, codedHeight, layout, transfer } = init;
	const format = requirePixelFormat(init.format);
	if (codedWidth === 0 || codedHeight === 0) throw new TypeError(`A frame of ${codedWidth}x${codedHeight}`);
	const coded = { x: 0, y: 0, width: codedWidth, height: codedHeight };
	const rect = parseRect(init.visibleRect, coded, coded, format);
	// Where the bytes are is a matter of the coded size, as browsers have it: https://github.com/w3c/webcodecs/issues/702
	const from = planesOf(format, coded, layout);
	const size = bytesOf(from);
	if (data.byteLength < size) {
		throw new TypeError(`${data.byteLength} bytes; ${format} of ${codedWidth}x${codedHeight} has ${size}`);
	}
	requireDisplay(init);
	const { width, height } = rect;
	const { bytes, owned } = takeBytes(data, size, transfer);
	if (owned && !layout && width === codedWidth && height === codedHeight) return { bytes, format, width, height };
	// Only what is visible is kept.
	const to = planesOf(format, rect);
	const packed = new Uint8Array(bytesOf(to));
	copyPlanes(bytes, from, packed, to);
	return { bytes: packed, format, width, height };
}

/** @see https://www.w3.org/TR/webcodecs/#videoframe-initialize-visible-rect-orientation-and-display-size */
function viewOf(
	picture: Picture,
	{ visible, displayWidth, displayHeight, colorSpace }: View,
	init: { visibleRect?: Rect; displayWidth?: number; displayHeight?: number },
): View {
	requireDisplay(init);
	const rect = parseRect(init.visibleRect, visible, picture, picture.format);
	return {
		visible: rect,
		displayWidth: init.displayWidth ?? Math.round((rect.width * displayWidth) / visible.width),
		displayHeight: init.displayHeight ?? Math.round((rect.height * displayHeight) / visible.height),
		colorSpace,
	};
}

/** @throws {TypeError} one of the two is given alone, or is 0 */
function requireDisplay({ displayWidth, displayHeight }: { displayWidth?: number; displayHeight?: number }): void {
	if ((displayWidth === undefined) !== (displayHeight === undefined) || displayWidth === 0 || displayHeight === 0) {
		throw new TypeError(`A display size of ${displayWidth}x${displayHeight}`);
	}
}

function withoutAlpha(picture: Picture): Picture {
	const format = opaque(picture.format);
	const { width, height, bytes } = picture;
	// In I420A alpha comes last.
	return { format, width, height, bytes: bytes.subarray(0, bytesOf(planesOf(format, { x: 0, y: 0, width, height }))) };
}

/** The rectangle with the samples that lie partly in it. */
function toSamples({ x, y, width, height }: Rect, picture: Picture): Rect {
	const across = Math.max(...samplings[picture.format].map((each) => each.across));
	const down = Math.max(...samplings[picture.format].map((each) => each.down));
	const left = x - (x % across);
	const top = y - (y % down);
	return { x: left, y: top, width: x + width - left, height: y + height - top };
}

function cut(picture: Picture, rect: Rect): Uint8Array {
	const { bytes, format, width, height } = picture;
	if (rect.width === width && rect.height === height) return bytes;
	const to = planesOf(format, rect);
	const part = new Uint8Array(bytesOf(to));
	copyPlanes(bytes, planesOf(format, { x: 0, y: 0, width, height }), part, to);
	return part;
}

defineInterface(VideoFrame);
