/** Reads some frames of a track; `take` gets each, open. */
async function read(track, count, take) {
	const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
	for (let i = 0; i < count; i++) {
		const { value, done } = await reader.read();
		if (done) throw new Error(`the ${track.kind} track ended`);
		take(value);
		value.close();
	}
	await reader.cancel();
}

/** The size of a track's picture, once it has moved: `160x120`. */
export async function watch(track) {
	let size = '';
	const times = new Set();
	await read(track, 5, (frame) => {
		size = `${frame.codedWidth}x${frame.codedHeight}`;
		times.add(frame.timestamp);
	});
	if (times.size < 5) throw new Error(`5 frames with ${times.size} timestamps`);
	return size;
}

/** Windows of half a second in which a tone is to become steady: on a busy machine sound begins with gaps. */
const WINDOWS = 10;

/** The frequency of a track's tone, in Hz, once two windows in a row agree on it; right to about 1 %. */
export async function listen(track) {
	let before = 0;
	for (let window = 0; window < WINDOWS; window++) {
		const frequency = await frequencyOf(track);
		if (Math.abs(frequency - before) <= frequency / 100) return frequency;
		before = frequency;
	}
	return before;
}

/** By the rising zero crossings of what comes next. */
async function frequencyOf(track) {
	const samples = [];
	let sampleRate = 0;
	await read(track, 25, (data) => {
		const chunk = new Float32Array(data.numberOfFrames);
		data.copyTo(chunk, { planeIndex: 0, format: 'f32-planar' });
		samples.push(...chunk);
		sampleRate = data.sampleRate;
	});
	const crossings = samples.filter((sample, at) => at > 0 && samples[at - 1] <= 0 && sample > 0);
	return (crossings.length * sampleRate) / samples.length;
}
