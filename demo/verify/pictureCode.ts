/**
 * Reads the code that the worker's test picture carries (worker/aiortc_worker/media/testcode.py says how it is drawn):
 * 8 columns and 6 rows of black and white cells in the upper six tenths; code, frame counter, CRC-16/CCITT-FALSE.
 */

export const columns = 8;
export const rows = 6;
export const band = 0.6;
const middle = (16 + 235) / 2;
/** How far from mid-grey the mean of a cell must be to be read. */
const clear = 40;

export interface PictureCode {
	/** What the sender was given to burn in. */
	code: number;
	/** The frame's number, modulo 65536. */
	counter: number;
}

/**
 * Reads the code of a Y plane; null when there is none, or it is not clear enough to be sure.
 *
 * @param luma rows of `stride` bytes; limited range
 */
export function readPictureCode(
	luma: Uint8Array,
	width: number,
	height: number,
	stride: number = width,
): PictureCode | null {
	const checked = new Uint8Array((columns * rows) / 8);
	for (let cell = 0; cell < columns * rows; cell++) {
		const mean = cellMean(luma, width, height, stride, Math.floor(cell / columns), cell % columns);
		if (Math.abs(mean - middle) < clear) return null;
		if (mean > middle) checked[cell >> 3]! |= 0x80 >> (cell & 7);
	}
	const view = new DataView(checked.buffer);
	if (crc16(checked.subarray(0, 4)) !== view.getUint16(4)) return null;
	return { code: view.getUint16(0), counter: view.getUint16(2) };
}

/** The mean of the inner half of a cell: its edges are where codecs and scalers blur. */
function cellMean(luma: Uint8Array, width: number, height: number, stride: number, row: number, column: number) {
	const [top, bottom] = inner((height * band * row) / rows, (height * band * (row + 1)) / rows);
	const [left, right] = inner((width * column) / columns, (width * (column + 1)) / columns);
	let sum = 0;
	for (let y = top; y < bottom; y++) {
		for (let x = left; x < right; x++) sum += luma[y * stride + x]!;
	}
	return sum / ((bottom - top) * (right - left));
}

function inner(from: number, to: number): [number, number] {
	const start = Math.floor(from);
	const quarter = Math.floor((to - start) / 4);
	return [start + quarter, Math.max(Math.floor(to) - quarter, start + quarter + 1)];
}

export function crc16(bytes: Uint8Array): number {
	let crc = 0xffff;
	for (const byte of bytes) {
		crc ^= byte << 8;
		for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
	}
	return crc;
}
