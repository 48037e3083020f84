import type { VideoHeader } from '../rpc/types.ts';

/** The formats that are read, written and converted: all of WebCodecs that have 8 bits, but I422 and I444. */
export type PixelFormat = VideoHeader['format'];

/** Of a plane: bytes a sample, and pixels that a sample covers. */
export interface Sampling {
	bytes: number;
	across: number;
	down: number;
}

const luma: Sampling = { bytes: 1, across: 1, down: 1 };
const chroma: Sampling = { bytes: 1, across: 2, down: 2 };
const packed: Sampling = { bytes: 4, across: 1, down: 1 };

/** @see https://www.w3.org/TR/webcodecs/#pixel-format */
export const samplings: Record<PixelFormat, readonly Sampling[]> = {
	I420: [luma, chroma, chroma],
	I420A: [luma, chroma, chroma, luma],
	NV12: [luma, { ...chroma, bytes: 2 }],
	RGBA: [packed],
	RGBX: [packed],
	BGRA: [packed],
	BGRX: [packed],
};

/** Every format that the specification has: others are no formats at all. */
export const VIDEO_PIXEL_FORMATS = [
	...['I420', 'I420P10', 'I420P12', 'I420A', 'I420AP10', 'I420AP12'],
	...['I422', 'I422P10', 'I422P12', 'I422A', 'I422AP10', 'I422AP12'],
	...['I444', 'I444P10', 'I444P12', 'I444A', 'I444AP10', 'I444AP12'],
	...['NV12', 'RGBA', 'RGBX', 'BGRA', 'BGRX'],
];

/** @throws {NotSupportedError} it is one of the formats that are not handled here */
export function requirePixelFormat(format: string): PixelFormat {
	if (isPixelFormat(format)) return format;
	const known = Object.keys(samplings).join(', ');
	throw new DOMException(`Pictures of format ${format}; known are ${known}`, 'NotSupportedError');
}

export function isPixelFormat(format: string | null): format is PixelFormat {
	return format !== null && Object.hasOwn(samplings, format);
}

export function isRgb(format: PixelFormat): boolean {
	return samplings[format].length === 1;
}

/** The format without alpha whose pictures have the same bytes. */
export function opaque(format: PixelFormat): PixelFormat {
	if (format === 'RGBA') return 'RGBX';
	if (format === 'BGRA') return 'BGRX';
	return format === 'I420A' ? 'I420' : format;
}
