import { RECORD_HEADER } from './frames.ts';

/** Smaller ones are carved out of a slab, side by side, and not taken back. */
const SMALLEST = 4096;
/** Larger ones are not kept. */
const LARGEST = 256 * 1024;
const SLAB = 64 * 1024;

/**
 * Memory of messages and frames, used again and again: with a fresh ArrayBuffer for each, bulk would have the host
 * collect garbage several times a second, and everything else wait for that.
 */
export class BufferPool {
	/** Bytes that are kept for later, at most. */
	readonly #limit: number;
	/** Free ones by their size: powers of two, and a record's header. */
	readonly #free = new Map<number, ArrayBuffer[]>();
	#kept = 0;
	#slab = new ArrayBuffer(0);
	#carved = 0;

	constructor(limit: number) {
		this.#limit = limit;
		for (let size = SMALLEST; size <= LARGEST; size *= 2) this.#free.set(size + RECORD_HEADER, []);
	}

	/** Bytes that are kept for later. */
	get kept(): number {
		return this.#kept;
	}

	/** `size` bytes, with whatever is in them. */
	take(size: number): Uint8Array<ArrayBuffer> {
		if (size <= SMALLEST) return this.#carve(size);
		if (size > LARGEST + RECORD_HEADER) return new Uint8Array(size);
		const capacity = capacityFor(size);
		const buffer = this.#free.get(capacity)!.pop();
		if (!buffer) return new Uint8Array(new ArrayBuffer(capacity), 0, size);
		this.#kept -= capacity;
		return new Uint8Array(buffer, 0, size);
	}

	/** Takes back the memory of what take() gave and nobody will read any more; what is not of its sizes, it lets go. */
	give({ buffer }: { readonly buffer: ArrayBufferLike }): void {
		const free = this.#free.get(buffer.byteLength);
		if (!free) return;
		this.#makeRoom(buffer.byteLength);
		if (this.#kept + buffer.byteLength > this.#limit) return;
		free.push(buffer as ArrayBuffer);
		this.#kept += buffer.byteLength;
	}

	/** Lets other sizes go, which earlier traffic may have left. */
	#makeRoom(capacity: number): void {
		for (const [size, buffers] of this.#free) {
			while (size !== capacity && this.#kept + capacity > this.#limit && buffers.pop()) this.#kept -= size;
		}
	}

	#carve(size: number): Uint8Array<ArrayBuffer> {
		if (this.#carved + size > this.#slab.byteLength) {
			this.#slab = new ArrayBuffer(SLAB);
			this.#carved = 0;
		}
		const bytes = new Uint8Array(this.#slab, this.#carved, size);
		this.#carved += size;
		return bytes;
	}
}

function capacityFor(size: number): number {
	return 2 ** (32 - Math.clz32(size - RECORD_HEADER - 1)) + RECORD_HEADER;
}
