/** Tells the frequency of a tone, and how much of a sound it is. */

/**
 * The frequency of a tone by its rising zero crossings, in Hz; 0 where there is silence.
 * Good to about 1 % in 100 ms, better in more.
 *
 * @param samples of one channel, at any scale
 */
export function toneFrequency(samples: ArrayLike<number>, sampleRate: number): number {
	const crossings = risingCrossings(samples);
	if (crossings.length < 2) return 0;
	// The median period: a click or a gap makes a few odd ones, which would spoil a mean.
	const periods = crossings.slice(1).map((at, index) => at - crossings[index]!);
	const sorted = periods.sort((a, b) => a - b);
	const usual = sorted[sorted.length >> 1]!;
	const kept = sorted.filter((period) => Math.abs(period - usual) < usual / 10);
	return (sampleRate * kept.length) / kept.reduce((sum, period) => sum + period, 0);
}

/** Where the signal rises through zero, in samples, between two of them; noise below a tenth of the peak is ignored. */
function risingCrossings(samples: ArrayLike<number>): number[] {
	const threshold = peak(samples) / 10;
	if (threshold === 0) return [];
	const crossings: number[] = [];
	let armed = false;
	for (let index = 1; index < samples.length; index++) {
		const before = samples[index - 1]!;
		const now = samples[index]!;
		if (now < -threshold) armed = true;
		if (!armed || before > 0 || now <= 0) continue;
		crossings.push(index - 1 + before / (before - now));
		armed = false;
	}
	return crossings;
}

function peak(samples: ArrayLike<number>): number {
	let highest = 0;
	for (let index = 0; index < samples.length; index++) highest = Math.max(highest, Math.abs(samples[index]!));
	return highest;
}

/**
 * The share of a sound's energy that lies at `frequency`, 0 to 1: near 1 for a pure tone, 0 for silence.
 * @see https://en.wikipedia.org/wiki/Goertzel_algorithm
 */
export function toneShare(samples: ArrayLike<number>, sampleRate: number, frequency: number): number {
	const coefficient = 2 * Math.cos((2 * Math.PI * frequency) / sampleRate);
	let [last, before, energy] = [0, 0, 0];
	for (let index = 0; index < samples.length; index++) {
		const sample = samples[index]!;
		[last, before] = [sample + coefficient * last - before, last];
		energy += sample * sample;
	}
	if (energy === 0) return 0;
	const power = last * last + before * before - coefficient * last * before;
	return Math.min(1, (2 * power) / (samples.length * energy));
}

/** Root mean square of s16 samples, as a part of full scale. */
export function level(samples: Int16Array): number {
	if (samples.length === 0) return 0;
	let energy = 0;
	for (const sample of samples) energy += sample * sample;
	return Math.sqrt(energy / samples.length) / 32_768;
}
