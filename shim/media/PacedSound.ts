import type { AudioHeader } from '../rpc/types.ts';
import type { WireFrame } from './frameClasses.ts';
import type { WrittenSource } from './WrittenSource.ts';

/** Milliseconds of sound that go ahead of when they are heard: as long may the program, or the link, be busy. */
const AHEAD = 100;
/** Milliseconds of sound that go at once. */
const PIECE = 20;
/** Milliseconds that the worker's clock may be behind the one here. */
const BEHIND = 100;
/** Milliseconds between timestamps, beyond the sound between them, that are silence: as the worker's WrittenSound has it. */
const GAP = { min: 50, max: 1_000 };

/**
 * Sound on its way into a source. It goes in small pieces, each a little before it is heard, so that a program may write
 * as fast as it likes and hears by write() and `queuedDuration` how it stands; what has not gone can be dropped.
 */
export class PacedSound {
	readonly #source: WrittenSource;
	/** When all that has gone will have been heard, by performance.now(). */
	#heard = 0;
	/** The timestamp, in milliseconds, of what follows what has gone. */
	#expected: number | null = null;
	/** Milliseconds of sound that was written and has not gone. */
	#waiting = 0;
	/** Frames that were written before the last reset() are of an earlier one. */
	#epoch = 0;
	readonly #epochs = new WeakMap<object, number>();
	#wake: (() => void) | null = null;

	constructor(source: WrittenSource) {
		this.#source = source;
		source.onclose = () => this.#forget();
	}

	/** Microseconds of sound that was written and is not heard yet. */
	get queuedDuration(): number {
		return Math.round((this.#waiting + this.#ahead) * 1_000);
	}

	/** Notes what is written, when it is: its turn to be sent may come later. */
	enqueue(frame: AudioData): void {
		if (typeof frame !== 'object' || frame === null) return;
		this.#epochs.set(frame, this.#epoch);
		this.#waiting += (frame.duration || 0) / 1_000;
	}

	/**
	 * Sends a frame, and closes it; resolves when all of it has gone, and is at most AHEAD of being heard, or when it is
	 * dropped.
	 *
	 * @throws {InvalidStateError} the track has ended
	 * @throws {TypeError} it is no AudioData, or closed
	 */
	async write(frame: AudioData): Promise<void> {
		const epoch = this.#epochs.get(frame) ?? this.#epoch;
		const { duration } = frame;
		const taken = await this.#source.take(frame);
		if (epoch !== this.#epoch) return;
		let left = duration / 1_000;
		for (const piece of pieces(taken)) {
			const { header } = piece;
			const length = (header.numberOfFrames / header.sampleRate) * 1_000;
			const from = this.#follow(header.timestamp / 1_000);
			await this.#until(from + length - AHEAD);
			if (epoch !== this.#epoch) return;
			this.#source.send(piece);
			this.#heard = Math.max(from, performance.now()) + length;
			this.#expected = header.timestamp / 1_000 + length;
			this.#waiting -= Math.min(left, length);
			left -= Math.min(left, length);
		}
	}

	/** Resolves when all that has gone is heard. */
	async drain(): Promise<void> {
		await this.#until(this.#heard + BEHIND);
	}

	/** Drops all that was written and is not heard yet; what waits in write() resolves. */
	reset(): void {
		this.#source.reset();
		this.#forget();
	}

	get #ahead(): number {
		return Math.max(0, this.#heard - performance.now());
	}

	/** When sound with this timestamp begins to be heard at the earliest: behind what went before, or after a gap. */
	#follow(timestamp: number): number {
		const gap = this.#expected === null ? 0 : timestamp - this.#expected;
		return this.#heard + (gap >= GAP.min && gap <= GAP.max ? gap : 0);
	}

	#forget(): void {
		this.#epoch++;
		this.#waiting = 0;
		this.#heard = 0;
		this.#expected = null;
		this.#wake?.();
	}

	/** Waits until a time by performance.now(), or until what waits is forgotten. */
	async #until(time: number): Promise<void> {
		const wait = time - performance.now();
		if (wait <= 0) return;
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, Math.ceil(wait));
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
		this.#wake = null;
	}
}

type Sound = WireFrame & { header: AudioHeader };

/** Cuts sound into parts of at most PIECE. */
function* pieces({ header, planes }: WireFrame): Generator<Sound> {
	const sound = header as AudioHeader;
	const { sampleRate, numberOfFrames, numberOfChannels, format, timestamp } = sound;
	const step = Math.max(1, Math.floor((sampleRate * PIECE) / 1_000));
	const sides = format.endsWith('-planar') ? numberOfChannels : 1;
	const perFrame = planes.byteLength / sides / numberOfFrames;
	for (let first = 0; first < numberOfFrames; first += step) {
		const count = Math.min(step, numberOfFrames - first);
		const parts = Array.from({ length: sides }, (_, side) => {
			const start = (side * numberOfFrames + first) * perFrame;
			return planes.subarray(start, start + count * perFrame);
		});
		const piece = { ...sound, timestamp: Math.round(timestamp + (first / sampleRate) * 1e6), numberOfFrames: count };
		yield { header: piece, planes: sides === 1 ? parts[0]! : concat(parts, count * perFrame) };
	}
}

function concat(parts: readonly Uint8Array[], size: number): Uint8Array {
	const whole = new Uint8Array(parts.length * size);
	for (const [index, part] of parts.entries()) whole.set(part, index * size);
	return whole;
}
