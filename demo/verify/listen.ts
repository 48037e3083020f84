import type { ToneHeard } from '../job/messages.ts';
import { readTrack } from './readTrack.ts';
import { toneFrequency, toneShare } from './tone.ts';

/** Seconds left out at the start, in which buffers fill. */
const WARM_UP = 0.3;

/** Of the pieces of which the middle one's share of the tone counts: a lost packet then spoils one of them, not all. */
const PIECE_SECONDS = 0.1;

/** Reads some seconds of an audio track and looks for a tone in it. */
export async function listenTo(
	track: MediaStreamTrack,
	expected: { frequency: number; seconds: number },
): Promise<Omit<ToneHeard, 'mimeType'>> {
	const chunks: Float32Array[] = [];
	let seconds = -WARM_UP;
	let sampleRate = 0;
	await readTrack<AudioData>(track, async (data) => {
		if (seconds >= 0) chunks.push(firstChannel(data));
		sampleRate = data.sampleRate;
		seconds += data.numberOfFrames / sampleRate;
		return seconds < expected.seconds;
	});
	const sound = join(chunks);
	const shares = piecesOf(sound, sampleRate * PIECE_SECONDS).map((piece) => {
		return toneShare(piece, sampleRate, expected.frequency);
	});
	return {
		seconds,
		frequency: toneFrequency(sound, sampleRate) ?? 0,
		share: shares.sort((a, b) => a - b)[shares.length >> 1] ?? 0,
	};
}

function piecesOf(sound: Float32Array, length: number): Float32Array[] {
	const count = Math.floor(sound.length / length);
	return Array.from({ length: count }, (_, index) => sound.subarray(index * length, (index + 1) * length));
}

function firstChannel(data: AudioData): Float32Array {
	const samples = new Float32Array(data.numberOfFrames);
	data.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
	return samples;
}

function join(chunks: Float32Array[]): Float32Array {
	const joined = new Float32Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
	let at = 0;
	for (const chunk of chunks) {
		joined.set(chunk, at);
		at += chunk.length;
	}
	return joined;
}
