import { type Frame, frameSize, ProtocolError } from './frames.ts';
import { Queue } from './Queue.ts';

/** Counted frames that were sent and not yet acknowledged, to be sent again after a cut; at most the window. */
export class Tail {
	window: number;
	/** Counted frames that were acknowledged in all. */
	#acked = 0;
	#bytes = 0;
	readonly #frames = new Queue<{ frame: Frame; size: number }>();

	constructor(window: number) {
		this.window = window;
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
	 * The other end has taken `count` counted frames in all.
	 *
	 * @throws {ProtocolError} it cannot have
	 */
	acknowledge(count: number): void {
		if (count > this.#acked + this.#frames.length) {
			throw new ProtocolError(`ack ${count} of ${this.#acked + this.#frames.length} frames`);
		}
		// A resume may have said more than an acknowledgement that was on its way then.
		for (; this.#acked < count; this.#acked++) this.#bytes -= this.#frames.shift()!.size;
	}

	/** What is to be sent again, in order. */
	*frames(): IterableIterator<Frame> {
		for (const { frame } of this.#frames) yield frame;
	}
}
