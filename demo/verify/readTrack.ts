/** Milliseconds in which the next frame must come. */
const PATIENCE = 10_000;

/**
 * Reads a track's frames until `take` gives false; each frame is closed after its turn.
 *
 * @throws an Error when the track ends before, or falls silent
 */
export async function readTrack<T extends VideoFrame | AudioData>(
	track: MediaStreamTrack,
	take: (frame: T) => Promise<boolean>,
): Promise<void> {
	const reader = new MediaStreamTrackProcessor({ track }).readable.getReader() as ReadableStreamDefaultReader<T>;
	const watchdog = { timer: setTimeout(() => {}, 0) };
	try {
		for (let wanted = true; wanted; ) {
			const { done, value } = await Promise.race([reader.read(), silence(watchdog, track.kind)]);
			clearTimeout(watchdog.timer);
			if (done) throw new Error(`the ${track.kind} track ended`);
			wanted = await take(value);
			value.close();
		}
	} finally {
		clearTimeout(watchdog.timer);
		await reader.cancel();
	}
}

function silence(watchdog: { timer: NodeJS.Timeout }, kind: string): Promise<never> {
	return new Promise((_, reject) => {
		const late = () => reject(new Error(`no ${kind} frame for ${PATIENCE / 1_000} s`));
		watchdog.timer = setTimeout(late, PATIENCE);
	});
}
