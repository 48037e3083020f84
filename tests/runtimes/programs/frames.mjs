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

/** The frequency of a track's tone, in Hz, by its rising zero crossings; right to about 1 %. */
export async function listen(track) {
	const samples = [];
	let sampleRate = 0;
	await read(track, 50, (data) => {
		const chunk = new Float32Array(data.numberOfFrames);
		data.copyTo(chunk, { planeIndex: 0, format: 'f32-planar' });
		samples.push(...chunk);
		sampleRate = data.sampleRate;
	});
	// What filled the buffers first is left out.
	const later = samples.slice(samples.length / 2);
	const crossings = later.filter((sample, at) => at > 0 && later[at - 1] <= 0 && sample > 0);
	return (crossings.length * sampleRate) / later.length;
}
