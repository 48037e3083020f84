/**
 * Buffers and Blobs of any realm (a frame, `vm`, jsdom), told by their internal slots as Web IDL does: `instanceof` knows
 * the classes of this realm alone.
 */

type Slot = (this: unknown) => unknown;

/** A getter that throws for an object without its slot. */
function slot(prototype: object | undefined, name: PropertyKey): Slot | undefined {
	return prototype && Object.getOwnPropertyDescriptor(prototype, name)?.get;
}

const arrayBufferSlot = slot(ArrayBuffer.prototype, 'byteLength');
const sharedSlot = slot(globalThis.SharedArrayBuffer?.prototype, 'byteLength');
const blobSlot = slot(globalThis.Blob?.prototype, 'size');
/** Gives the name of a typed array's class, and undefined for anything else. */
const typedArrayName = slot(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!;

export function isArrayBuffer(value: unknown): value is ArrayBuffer {
	return has(arrayBufferSlot, value);
}

export function isSharedArrayBuffer(value: unknown): value is SharedArrayBuffer {
	return has(sharedSlot, value);
}

export function isUint8Array(value: unknown): value is Uint8Array {
	return typedArrayName.call(value) === 'Uint8Array';
}

/** A Blob of the host, or of another implementation, such as jsdom's, that can be read in the same way. */
export function isBlob(value: unknown): value is Blob {
	if (typeof value !== 'object' || value === null) return false;
	if (has(blobSlot, value)) return true;
	// One that only inherits from the host's has nothing to be read.
	if (globalThis.Blob && value instanceof Blob) return false;
	const { size, arrayBuffer } = value as Partial<Blob>;
	const isTagged = /^\[object (?:Blob|File)\]$/.test(Object.prototype.toString.call(value));
	return isTagged && typeof size === 'number' && typeof arrayBuffer === 'function';
}

/** The bytes behind a buffer or a view of one, if the value is either; those of a detached one are none. */
export function bytesBehind(value: unknown): Uint8Array | null {
	if (ArrayBuffer.isView(value)) return viewOf(value.buffer, value.byteOffset, value.byteLength);
	if (isArrayBuffer(value) || isSharedArrayBuffer(value)) return viewOf(value, 0, value.byteLength);
	return null;
}

function viewOf(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array {
	return length === 0 ? new Uint8Array() : new Uint8Array(buffer, offset, length);
}

function has(slot: Slot | undefined, value: unknown): boolean {
	if (slot === undefined || typeof value !== 'object' || value === null) return false;
	try {
		return typeof slot.call(value) === 'number';
	} catch {
		return false;
	}
}
