/** The shim's end: an embedded bridge and its worker, with the options that a program has by default. */
import { createHash } from 'node:crypto';
import { createShim, type Shim } from '../../../entries/node.ts';
import { Ear } from '../peers/Ear.ts';
import { type Platform, W3cEnd, type Watcher } from '../peers/W3cEnd.ts';
import { type Seen, TONES } from './protocol.ts';

let shim: Shim | undefined;

function theShim(): Shim {
	shim ??= createShim();
	return shim;
}

/** Ends the bridge that the first ShimEnd started. */
export async function closeShim(): Promise<void> {
	await shim?.close();
	shim = undefined;
}

export class ShimEnd extends W3cEnd {
	constructor(configuration?: RTCConfiguration) {
		super(platform(theShim()), configuration);
	}
}

/** The shim's classes do what lib.dom's do; their types are their own. */
function platform(shim: Shim): Platform {
	const { RTCPeerConnection, RTCRtpReceiver, MediaStream } = shim as unknown as Platform;
	return {
		RTCPeerConnection,
		RTCRtpReceiver,
		MediaStream,
		async source(kind) {
			const stream = await shim.mediaDevices.getUserMedia(
				kind === 'audio' ? { audio: { frequency: TONES.shim } } : { video: { width: 320, height: 240, frameRate: 30 } },
			);
			return stream.getTracks()[0]! as unknown as MediaStreamTrack;
		},
		watch: (track) => (track.kind === 'audio' ? listen(shim, track) : look(shim, track)),
		digest,
	};
}

function digest(bytes: Uint8Array): string {
	return createHash('sha256').update(bytes).digest('hex');
}

function look(shim: Shim, track: MediaStreamTrack): Watcher {
	const seen: Seen & { moving: number } = { frames: 0, moving: 0, width: 0, height: 0 };
	let last = '';
	const stop = readFrames<VideoFrame>(shim, track, async (frame) => {
		const planes = new Uint8Array(frame.allocationSize());
		await frame.copyTo(planes);
		const picture = digest(planes);
		seen.frames++;
		if (picture !== last) seen.moving++;
		last = picture;
		seen.width = frame.codedWidth;
		seen.height = frame.codedHeight;
	});
	return { read: async () => ({ ...seen }), stop };
}

function listen(shim: Shim, track: MediaStreamTrack): Watcher {
	const ear = new Ear();
	const stop = readFrames<AudioData>(shim, track, async (data) => {
		const chunk = new Float32Array(data.numberOfFrames);
		data.copyTo(chunk, { planeIndex: 0, format: 'f32-planar' });
		ear.hear(chunk, data.sampleRate);
	});
	return { read: async () => ear.heard(), stop };
}

/** Reads until the track ends or the function that is returned is called. */
function readFrames<T extends VideoFrame | AudioData>(
	shim: Shim,
	track: MediaStreamTrack,
	take: (frame: T) => Promise<void>,
): () => void {
	const { MediaStreamTrackProcessor: Processor } = shim as unknown as typeof globalThis;
	const reader = new Processor({ track }).readable.getReader() as ReadableStreamDefaultReader<T>;
	void (async () => {
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			await take(value);
			value.close();
		}
	})();
	return () => void reader.cancel();
}
