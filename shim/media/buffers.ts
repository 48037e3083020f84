/** Buffers that a program gives: their bytes, and their transfer. */

import { bytesBehind, isArrayBuffer } from '../webidl/buffers.ts';

/** The bytes behind a buffer or a view of one. */
export function bytesIn(data: AllowSharedBufferSource, where: string): Uint8Array {
	const bytes = bytesBehind(data);
	if (bytes) return bytes;
	throw new TypeError(`${where} is no buffer`);
}

/** @throws {TypeError} it is no ArrayBuffer */
export function arrayBuffer(value: unknown, where: string): ArrayBuffer {
	if (isArrayBuffer(value)) return value;
	throw new TypeError(`${where} is no ArrayBuffer`);
}

/**
 * Takes the buffers of `transfer` from the program: they are detached.
 *
 * @returns the first `size` bytes of `data`: where its buffer was transferred, the same memory; else a copy
 * @throws {DataCloneError} a buffer is listed twice, or detached already
 */
export function takeBytes(
	data: Uint8Array,
	size: number,
	transfer: readonly ArrayBuffer[],
): { bytes: Uint8Array; owned: boolean } {
	if (new Set(transfer).size < transfer.length) {
		throw new DOMException('transfer lists a buffer twice', 'DataCloneError');
	}
	const { buffer, byteOffset } = data;
	const moved = transfer.some((each) => each === buffer);
	if (transfer.length === 0) return { bytes: data.subarray(0, size), owned: false };
	// What is detached already, or cannot be, is a DataCloneError.
	const taken = structuredClone(moved ? (buffer as ArrayBuffer) : null, { transfer: [...transfer] });
	if (taken === null) return { bytes: data.subarray(0, size), owned: false };
	return { bytes: new Uint8Array(taken, byteOffset, size), owned: true };
}
