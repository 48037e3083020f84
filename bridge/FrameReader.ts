/** Cuts a stream of frames, `[u32 length, top bit set when binary][payload]`, into the frames. */

import type { BufferPool } from '../shim/link/BufferPool.ts';

export const BINARY = 0x8000_0000;

export class FrameReader {
	readonly #buffers: BufferPool;
	readonly #onframe: (payload: Buffer, binary: boolean) => void;
	readonly #header = Buffer.alloc(4);
	/** Of the frame that comes, once its header has come. */
	#payload: Buffer | null = null;
	/** Bytes that have come, of the header or else of the payload. */
	#filled = 0;

	/** `onframe` takes each frame, in memory of `buffers`. */
	constructor(buffers: BufferPool, onframe: (payload: Buffer, binary: boolean) => void) {
		this.#buffers = buffers;
		this.#onframe = onframe;
	}

	/** Takes what came next; the bytes are copied. */
	read(chunk: Buffer): void {
		for (let offset = 0; offset < chunk.length; ) {
			const target = this.#payload ?? this.#header;
			const copied = chunk.copy(target, this.#filled, offset);
			offset += copied;
			this.#filled += copied;
			if (this.#filled < target.length) return;
			this.#filled = 0;
			if (this.#payload === null) this.#begin(this.#header.readUInt32BE() & ~BINARY);
			else this.#finish(this.#payload);
		}
	}

	#begin(size: number): void {
		const { buffer, byteOffset } = this.#buffers.take(size);
		this.#payload = Buffer.from(buffer, byteOffset, size);
		if (size === 0) this.#finish(this.#payload);
	}

	#finish(payload: Buffer): void {
		this.#payload = null;
		this.#onframe(payload, this.#header.readUInt32BE() >= BINARY);
	}
}
