/** A worker's end of a link, for tests: counts, acknowledges, and does what it is told. */

import { type Frame, isCounted, parseAck } from '../../../shim/link/frames.ts';
import type { WorkerEnd } from './relay.ts';

export class FakeWorker implements WorkerEnd {
	onframe: ((frame: Frame) => void) | null = null;
	/** Counted frames of the shim, and uncounted ones but acknowledgements. */
	readonly frames: Frame[] = [];
	readonly media: Frame[] = [];
	/** What the shim has acknowledged. */
	acked = 0;
	/** Whether it acknowledges by itself. */
	acknowledges = true;
	/** Called with each frame of the shim. */
	answer: ((frame: Frame) => void) | null = null;
	#acknowledging = false;

	send(frame: Frame): void {
		if (!isCounted(frame)) {
			if (typeof frame === 'string') this.acked = parseAck(frame) ?? this.acked;
			else this.media.push(frame);
			return;
		}
		this.frames.push(frame);
		if (this.acknowledges) this.#acknowledgeSoon();
		this.answer?.(frame);
	}

	/** Sends a frame to the shim. */
	down(frame: Frame): void {
		this.onframe?.(frame);
	}

	acknowledge(): void {
		this.down(`{"ack":${this.frames.length}}`);
	}

	#acknowledgeSoon(): void {
		if (this.#acknowledging) return;
		this.#acknowledging = true;
		setImmediate(() => {
			this.#acknowledging = false;
			this.acknowledge();
		});
	}
}
