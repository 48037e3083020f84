/** Tracks for tests, and what is seen and heard of them at the other end. */
import { type PictureCode, readPictureCode } from '../../../demo/verify/pictureCode.ts';
import { toneFrequency, toneShare } from '../../../demo/verify/tone.ts';

/** Milliseconds in which what is waited for must come, on a busy machine. */
export const PATIENCE = 30_000;

const TONE_SECONDS = 0.2;
/** How far a tone may be off, as a part of its frequency. */
const TONE_TOLERANCE = 0.02;

export interface Picture {
	width: number;
	height: number;
	/** The sender's count of frames, modulo 65536. */
	counter: number;
}

const tracks: MediaStreamTrack[] = [];

/** A moving test picture that carries a code; small unless said, since several are encoded at once. */
export async function picture(code: number, shape: MediaTrackConstraints = {}): Promise<MediaStreamTrack> {
	const stream = await navigator.mediaDevices.getUserMedia({
		video: { width: 160, height: 120, frameRate: 10, ...shape, code },
	});
	return kept(stream.getVideoTracks()[0]!);
}

/** A tone; `frequency` in Hz. */
export async function tone(frequency: number, shape: MediaTrackConstraints = {}): Promise<MediaStreamTrack> {
	const stream = await navigator.mediaDevices.getUserMedia({ audio: { ...shape, frequency } });
	return kept(stream.getAudioTracks()[0]!);
}

/** A track that the test stops at its end, wherever it is from. */
export function kept(track: MediaStreamTrack): MediaStreamTrack {
	tracks.push(track);
	return track;
}

export function stopTracks(): void {
	for (const track of tracks.splice(0)) track.stop();
}

/** Reads a track until a frame of it carries `code`. */
export function sees(track: MediaStreamTrack, code: number): Promise<Picture> {
	return look<VideoFrame, Picture>(track, `a picture with code ${code}`, async (frame) => {
		const seen = await readCode(frame);
		if (seen?.code !== code) return null;
		return { width: frame.codedWidth, height: frame.codedHeight, counter: seen.counter };
	});
}

/** Reads a track until its picture is black. */
export function seesBlack(track: MediaStreamTrack): Promise<true> {
	return look<VideoFrame, true>(track, 'a black picture', async (frame) => {
		const { luma } = await planesOf(frame);
		return luma.every((value) => value < 40) ? true : null;
	});
}

/** Reads a track until its picture is of about one brightness, 0 to 255. */
export function seesLuma(track: MediaStreamTrack, expected: number): Promise<true> {
	return look<VideoFrame, true>(track, `a picture of brightness ${expected}`, async (frame) => {
		const { luma } = await planesOf(frame);
		return luma.every((value) => Math.abs(value - expected) < 8) || null;
	});
}

/** Reads a track until it has been a pure tone for a while. */
export function hears(track: MediaStreamTrack, frequency: number): Promise<true> {
	return listen(track, `a tone of ${frequency} Hz`, (sound, sampleRate) => isTone(sound, sampleRate, frequency));
}

function isTone(sound: ArrayLike<number>, sampleRate: number, frequency: number): boolean {
	const near = Math.abs(toneFrequency(sound, sampleRate) - frequency) < frequency * TONE_TOLERANCE;
	return near && toneShare(sound, sampleRate, frequency) > 0.8;
}

/** Reads a track until each of its channels has been a pure tone of its own for a while. */
export function hearsApart(track: MediaStreamTrack, frequencies: readonly number[]): Promise<true> {
	const sounds = frequencies.map((): number[] => []);
	return look<AudioData, true>(track, `tones of ${frequencies} Hz, one a channel`, async (data) => {
		if (data.numberOfChannels !== frequencies.length) return null;
		for (const [planeIndex, sound] of sounds.entries()) {
			const samples = new Float32Array(data.numberOfFrames);
			data.copyTo(samples, { planeIndex, format: 'f32-planar' });
			sound.push(...samples);
		}
		if (sounds[0]!.length < data.sampleRate * TONE_SECONDS) return null;
		const pieces = sounds.map((sound) => sound.splice(0));
		return pieces.every((piece, index) => isTone(piece, data.sampleRate, frequencies[index]!)) || null;
	});
}

/** Reads a track until it has been silent for a while. */
export function hearsSilence(track: MediaStreamTrack): Promise<true> {
	return listen(track, 'silence', (sound) => sound.every((sample) => Math.abs(sample) < 0.01));
}

function listen(
	track: MediaStreamTrack,
	what: string,
	judge: (sound: Float32Array, sampleRate: number) => boolean,
): Promise<true> {
	let sound: number[] = [];
	return look<AudioData, true>(track, what, async (data) => {
		const samples = new Float32Array(data.numberOfFrames);
		data.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
		sound.push(...samples);
		if (sound.length < data.sampleRate * TONE_SECONDS) return null;
		const piece = Float32Array.from(sound);
		sound = [];
		return judge(piece, data.sampleRate) || null;
	});
}

/** Reads frames until `judge` finds something in one. */
export async function look<T extends VideoFrame | AudioData, R>(
	track: MediaStreamTrack,
	what: string,
	judge: (frame: T) => Promise<R | null>,
	patience = PATIENCE,
): Promise<R> {
	const reader = new MediaStreamTrackProcessor({ track }).readable.getReader() as ReadableStreamDefaultReader<T>;
	let count = 0;
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		const give = () => reject(new Error(`waited ${patience / 1_000} s in vain for ${what}, in ${count} frames`));
		timer = setTimeout(give, patience);
	});
	try {
		for (;;) {
			const { done, value: frame } = await Promise.race([reader.read(), late]);
			if (done) throw new Error(`the track ended before ${what}, after ${count} frames`);
			count++;
			const found = await judge(frame);
			frame.close();
			if (found !== null) return found;
		}
	} finally {
		clearTimeout(timer);
		await reader.cancel();
	}
}

/** The code in a picture; null when there is none that is clear. */
export async function readCode(frame: VideoFrame): Promise<PictureCode | null> {
	const { luma, stride } = await planesOf(frame);
	return readPictureCode(luma, frame.codedWidth, frame.codedHeight, stride);
}

async function planesOf(frame: VideoFrame): Promise<{ luma: Uint8Array; stride: number }> {
	const planes = new Uint8Array(frame.allocationSize());
	const [luma] = await frame.copyTo(planes);
	const { offset, stride } = luma!;
	return { luma: planes.subarray(offset, offset + stride * frame.codedHeight), stride };
}
