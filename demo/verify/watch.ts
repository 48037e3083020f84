import type { PictureSeen } from '../job/messages.ts';
import { readPictureCode } from './pictureCode.ts';
import { readTrack } from './readTrack.ts';

/** Frames that may come before the first whose code counts: what an encoder sends first is coarse. */
const WARM_UP = 10;

/** Reads frames of a video track and compares the code burnt into each with the one expected. */
export async function watch(
	track: MediaStreamTrack,
	expected: { code: number; frames: number },
): Promise<Omit<PictureSeen, 'mimeType'>> {
	const seen = { width: 0, height: 0, frames: 0, seconds: 0, right: 0, moving: 0 };
	let skipped = 0;
	let last = -1;
	let started = 0;
	await readTrack<VideoFrame>(track, async (frame) => {
		if (skipped++ < WARM_UP) return true;
		started ||= performance.now();
		const code = await readFrame(frame);
		seen.width = frame.codedWidth;
		seen.height = frame.codedHeight;
		seen.frames++;
		if (code?.code === expected.code) seen.right++;
		if (code && code.counter !== last) seen.moving++;
		last = code?.counter ?? last;
		return seen.frames < expected.frames;
	});
	seen.seconds = (performance.now() - started) / 1_000;
	return seen;
}

/** The luma plane comes first in I420. */
async function readFrame(frame: VideoFrame): Promise<ReturnType<typeof readPictureCode>> {
	const planes = new Uint8Array(frame.allocationSize());
	const [luma] = await frame.copyTo(planes);
	return readPictureCode(planes.subarray(luma!.offset), frame.codedWidth, frame.codedHeight, luma!.stride);
}
