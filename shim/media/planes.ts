/** Where the planes of a picture lie in a buffer. */

import { type PixelFormat, samplings } from './pixelFormats.ts';

export interface Rect {
	x: number;
	y: number;
	width: number;
	height: number;
}

/** A plane's part of a rectangle, in bytes across and rows down, and where it is in a buffer. */
interface Plane {
	left: number;
	top: number;
	bytes: number;
	rows: number;
	offset: number;
	stride: number;
}

const MAX_SIZE = 2 ** 32 - 1;

/**
 * The part `rect` of a picture of `width` by `height`, in whole pixels; all of `fallback` if none is given.
 *
 * @throws {TypeError} it is not within the picture, or does not begin at a chroma sample
 * @see https://www.w3.org/TR/webcodecs/#videoframe-parse-visible-rect
 */
export function parseRect(
	rect: Rect | undefined,
	fallback: Rect,
	{ width, height }: { width: number; height: number },
	format: PixelFormat,
): Rect {
	const given = rect ?? fallback;
	const what = `rect ${given.x},${given.y} ${given.width}x${given.height}`;
	if (![given.x, given.y, given.width, given.height].every((each) => Number.isFinite(each) && each >= 0)) {
		throw new TypeError(`${what}: negative, or not finite`);
	}
	const truncated = {
		x: Math.trunc(given.x),
		y: Math.trunc(given.y),
		width: Math.trunc(given.width),
		height: Math.trunc(given.height),
	};
	if (truncated.width === 0 || truncated.height === 0) throw new TypeError(`${what} is empty`);
	if (given.x + given.width > width || given.y + given.height > height) {
		throw new TypeError(`${what} of a picture of ${width}x${height}`);
	}
	for (const { across, down } of samplings[format]) {
		if (truncated.x % across || truncated.y % down) throw new TypeError(`${what} begins within a sample of ${format}`);
	}
	return truncated;
}

/**
 * The planes of the part `rect` of a picture, one after another without padding, or as `layout` has them.
 *
 * @throws {TypeError} the layout has not as many planes, too small a stride, or planes that overlap
 * @see https://www.w3.org/TR/webcodecs/#videoframe-compute-layout-and-allocation-size
 */
export function planesOf(format: PixelFormat, rect: Rect, layout?: readonly PlaneLayout[]): Plane[] {
	const plan = samplings[format];
	if (layout && layout.length !== plan.length) {
		throw new TypeError(`layout has ${layout.length} planes; ${format} has ${plan.length}`);
	}
	let end = 0;
	const planes = plan.map(({ bytes, across, down }, index) => {
		const width = Math.ceil(rect.width / across) * bytes;
		const rows = Math.ceil(rect.height / down);
		const { offset, stride } = layout?.[index] ?? { offset: end, stride: width };
		if (stride < width) throw new TypeError(`layout: a stride of ${stride} for rows of ${width} bytes`);
		if (offset + stride * rows > MAX_SIZE) throw new TypeError(`layout: plane ${index} ends beyond 4 GiB`);
		end = offset + stride * rows;
		return { left: (rect.x / across) * bytes, top: rect.y / down, bytes: width, rows, offset, stride };
	});
	for (const [index, plane] of planes.entries()) {
		const other = planes.slice(0, index).find((each) => each.offset < endOf(plane) && plane.offset < endOf(each));
		if (other) throw new TypeError(`layout: plane ${index} overlaps with plane ${planes.indexOf(other)}`);
	}
	return planes;
}

/** Bytes that planes take. */
export function bytesOf(planes: readonly Plane[]): number {
	return Math.max(...planes.map(endOf));
}

function endOf({ offset, stride, rows }: Plane): number {
	return offset + stride * rows;
}

/** Copies the part of `from` that `to` describes; both are of the same picture. */
export function copyPlanes(source: Uint8Array, from: readonly Plane[], target: Uint8Array, to: readonly Plane[]): void {
	for (const [index, plane] of to.entries()) {
		const { offset, stride } = from[index]!;
		const first = offset + plane.top * stride + plane.left;
		if (stride === plane.stride && stride === plane.bytes) {
			target.set(source.subarray(first, first + stride * plane.rows), plane.offset);
			continue;
		}
		for (let row = 0; row < plane.rows; row++) {
			const start = first + row * stride;
			target.set(source.subarray(start, start + plane.bytes), plane.offset + row * plane.stride);
		}
	}
}
