import { toneFrequency } from '../../../demo/verify/tone.ts';
import type { Heard } from '../driver/protocol.ts';

/** Seconds of which the tone is told. */
const SECONDS = 0.5;

/** Hears samples, and tells what the last of them were. */
export class Ear {
	readonly #chunks: Float32Array[] = [];
	/** In the chunks. */
	#held = 0;
	#total = 0;
	#rate = 48_000;

	/** @param samples of one channel, -1 to 1 */
	hear(samples: Float32Array, rate: number): void {
		this.#rate = rate;
		this.#total += samples.length;
		this.#held += samples.length;
		this.#chunks.push(samples);
		while (this.#held - this.#chunks[0]!.length > rate * SECONDS) this.#held -= this.#chunks.shift()!.length;
	}

	heard(): Heard {
		const samples = new Float32Array(this.#held);
		let at = 0;
		for (const chunk of this.#chunks) {
			samples.set(chunk, at);
			at += chunk.length;
		}
		const energy = samples.reduce((sum, sample) => sum + sample * sample, 0);
		return {
			seconds: this.#total / this.#rate,
			level: Math.sqrt(energy / Math.max(1, samples.length)),
			frequency: toneFrequency(samples, this.#rate),
		};
	}
}
