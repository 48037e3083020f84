import type { BufferPool } from './BufferPool.ts';
import { type Frame, frameSize, ProtocolError } from './frames.ts';
import { Queue } from './Queue.ts';

/** Counted frames that were sent and not yet acknowledged, to be sent again after a cut; at most the window. */
export class Tail {
	window: number;
	/** Counted frames that were acknowledged in all. */
	#acked = 0;
	#bytes = 0;
	/** Frames, counted as above, that an earlier socket may still hold: not all that was given to it has left. */
	#shared = 0;
	readonly #frames = new Queue<{ frame: Frame; size: number }>();
	readonly #buffers: BufferPool;

	/** `buffers` gets frames back when the other end has them. */
	constructor(window: number, buffers: BufferPool) {
		this.window = window;
		this.#buffers = buffers;
	}

	/** Bytes that may be sent now; when nothing is under way, a frame may be larger than the window. */
	get room(): number {
		return this.#frames.length === 0 ? Number.MAX_SAFE_INTEGER : this.window - this.#bytes;
	}

	push(frame: Frame): void {
		const size = frameSize(frame);
		this.#bytes += size;
		this.#frames.push({ frame, size });
	}

	/**
	 * The other end has taken `count` counted frames in all: their memory is free.
	 *
	 * @throws {ProtocolError} it cannot have
	 */
	acknowledge(count: number): void {
		if (count > this.#acked + this.#frames.length) {
			throw new ProtocolError(`ack ${count} of ${this.#acked + this.#frames.length} frames`);
		}
		// A resume may have said more than an acknowledgement that was on its way then.
		for (; this.#acked < count; this.#acked++) {
			const { frame, size } = this.#frames.shift()!;
			this.#bytes -= size;
			if (typeof frame !== 'string' && this.#acked >= this.#shared) this.#buffers.give(frame);
		}
	}

	/**
	 * A new socket takes over where the other end has had `count`; what is to be sent again, in order.
	 *
	 * @throws {ProtocolError} it cannot have had so many
	 */
	resume(count: number): Frame[] {
		this.#shared = this.#acked + this.#frames.length;
		this.acknowledge(count);
		return Array.from(this.#frames, ({ frame }) => frame);
	}
}
