/** Tracks whose frames the test writes itself. */
import { kept } from './media.ts';

const RATE = 48_000;
/** Frames of sound in 20 ms. */
const PIECE = 960;
const SIZE = { codedWidth: 64, codedHeight: 48 };

/** Sound with a tone of its own in each channel; `frequencies` in Hz. */
export function writtenTones(frequencies: readonly number[]): MediaStreamTrack {
	return written('audio', 20, (index) => {
		const planes = frequencies.flatMap((frequency) =>
			Array.from({ length: PIECE }, (_, at) => Math.sin((2 * Math.PI * frequency * (index * PIECE + at)) / RATE) / 2),
		);
		return new AudioData({
			format: 'f32-planar',
			sampleRate: RATE,
			numberOfFrames: PIECE,
			numberOfChannels: frequencies.length,
			timestamp: index * 20_000,
			data: Float32Array.from(planes),
		});
	});
}

/** A picture of one brightness, 0 to 255. */
export function writtenPicture(luma: number): MediaStreamTrack {
	const planes = new Uint8Array(SIZE.codedWidth * SIZE.codedHeight * 1.5).fill(128);
	planes.fill(luma, 0, SIZE.codedWidth * SIZE.codedHeight);
	return written(
		'video',
		50,
		(index) => new VideoFrame(planes, { format: 'I420', ...SIZE, timestamp: index * 50_000 }),
	);
}

/** A track that gets what `make` makes every `ms`, until it is stopped. */
function written(
	kind: 'audio' | 'video',
	ms: number,
	make: (index: number) => AudioData | VideoFrame,
): MediaStreamTrack {
	const track = new MediaStreamTrackGenerator({ kind });
	const writer = track.writable.getWriter();
	const started = performance.now();
	let index = 0;
	const timer = setInterval(async () => {
		if (track.readyState === 'ended') return clearInterval(timer);
		for (; index < (performance.now() - started) / ms; index++) {
			await writer.write(make(index) as AudioData).catch(() => {});
		}
	}, ms / 2);
	return kept(track);
}
