/** Where the planes of an I420 picture lie in a buffer. */

import { bytesBehind } from '../webidl/buffers.ts';

export interface Rect {
	x: number;
	y: number;
	width: number;
	height: number;
}

interface Plane extends Rect {
	offset: number;
	stride: number;
}

/** The planes Y, U, V of the part `rect` of a picture, one after another without padding, or as `layout` has them. */
export function i420Planes(rect: Rect, layout?: readonly PlaneLayout[]): Plane[] {
	if (layout && layout.length !== 3) throw new TypeError(`layout has ${layout.length} planes; I420 has 3`);
	let offset = 0;
	return [1, 2, 2].map((scale, index) => {
		const width = Math.ceil(rect.width / scale);
		const height = Math.ceil(rect.height / scale);
		const given = layout?.[index] ?? { offset, stride: width };
		if (given.stride < width) throw new TypeError(`layout: a stride of ${given.stride} for rows of ${width} bytes`);
		offset += width * height;
		return { x: rect.x / scale, y: rect.y / scale, width, height, offset: given.offset, stride: given.stride };
	});
}

/** Bytes that planes take. */
export function bytesOf(planes: readonly Plane[]): number {
	return Math.max(...planes.map(({ offset, stride, height }) => offset + stride * height));
}

/** Copies the part of `from` that `to` describes; both are of the same picture. */
export function copyPlanes(source: Uint8Array, from: readonly Plane[], target: Uint8Array, to: readonly Plane[]): void {
	for (const [index, plane] of to.entries()) {
		const { offset, stride } = from[index]!;
		for (let row = 0; row < plane.height; row++) {
			const start = offset + (plane.y + row) * stride + plane.x;
			target.set(source.subarray(start, start + plane.width), plane.offset + row * plane.stride);
		}
	}
}

/** The planes of a picture of 4 bytes a pixel, red first; in the colours of BT.601, limited range. */
export function i420Of(rgba: Uint8Array, width: number, height: number): Uint8Array {
	const planes = i420Planes({ x: 0, y: 0, width, height });
	const target = new Uint8Array(bytesOf(planes));
	const factors = [
		[66, 129, 25, 16],
		[-38, -74, 112, 128],
		[112, -94, -18, 128],
	] as const;
	for (const [index, plane] of planes.entries()) {
		const [red, green, blue, base] = factors[index]!;
		const step = index === 0 ? 1 : 2;
		for (let row = 0; row < plane.height; row++) {
			for (let column = 0; column < plane.width; column++) {
				const at = (row * step * width + column * step) * 4;
				const sum = red * rgba[at]! + green * rgba[at + 1]! + blue * rgba[at + 2]!;
				target[plane.offset + row * plane.stride + column] = ((sum + 128) >> 8) + base;
			}
		}
	}
	return target;
}

/** The planes of a picture in NV12, whose chroma samples alternate. */
export function i420OfNv12(nv12: Uint8Array, width: number, height: number): Uint8Array {
	const luma = width * height;
	const target = new Uint8Array(luma * 1.5);
	target.set(nv12.subarray(0, luma));
	for (let from = luma, u = luma, v = luma * 1.25; from < target.length; from += 2) {
		target[u++] = nv12[from]!;
		target[v++] = nv12[from + 1]!;
	}
	return target;
}

/** The bytes behind a buffer or a view of one. */
export function bytesIn(data: AllowSharedBufferSource, where: string): Uint8Array {
	const bytes = bytesBehind(data);
	if (bytes) return bytes;
	throw new TypeError(`${where} is no buffer`);
}
