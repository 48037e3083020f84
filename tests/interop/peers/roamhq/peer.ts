/** @roamhq/wrtc's end: libwebrtc as a module of Node. */
import { createHash } from 'node:crypto';
import { type Seen, TONES } from '../../driver/protocol.ts';
import { Ear } from '../Ear.ts';
import { load, versionOf } from '../load.ts';
import { serve } from '../serve.ts';
import { type Platform, W3cEnd, type Watcher } from '../W3cEnd.ts';

interface Sound {
	samples: Int16Array;
	sampleRate: number;
	channelCount: number;
}

interface Sink<T> {
	ondata?: (data: T) => void;
	onframe?: (data: { frame: T }) => void;
	stop(): void;
}

interface Picture {
	width: number;
	height: number;
	data: Uint8Array;
}

const wrtc = load('@roamhq/wrtc') as Pick<Platform, 'RTCPeerConnection' | 'RTCRtpReceiver' | 'MediaStream'> & {
	nonstandard: {
		RTCAudioSource: new () => { createTrack(): MediaStreamTrack; onData(data: object): void };
		RTCVideoSource: new () => { createTrack(): MediaStreamTrack; onFrame(frame: Picture): void };
		RTCAudioSink: new (track: MediaStreamTrack) => Sink<Sound>;
		RTCVideoSink: new (track: MediaStreamTrack) => Sink<Picture>;
	};
};
const { RTCAudioSource, RTCVideoSource, RTCAudioSink, RTCVideoSink } = wrtc.nonstandard;

const RATE = 48_000;
const CHUNK = RATE / 100;
const [WIDTH, HEIGHT] = [320, 240];

/** Calls so often that a busy machine does not slow it down; ends with the track. */
function every(milliseconds: number, track: MediaStreamTrack, work: (count: number) => void): void {
	const started = performance.now();
	let count = 0;
	const timer = setInterval(() => {
		if (track.readyState === 'ended') clearInterval(timer);
		else while (count * milliseconds < performance.now() - started) work(count++);
	}, 5);
}

function tone(): MediaStreamTrack {
	const source = new RTCAudioSource();
	const track = source.createTrack();
	every(10, track, (count) => {
		const samples = Int16Array.from({ length: CHUNK }, (_, index) => {
			return 8_000 * Math.sin((2 * Math.PI * TONES.peer * (count * CHUNK + index)) / RATE);
		});
		source.onData({ samples, sampleRate: RATE, bitsPerSample: 16, channelCount: 1, numberOfFrames: CHUNK });
	});
	return track;
}

function picture(): MediaStreamTrack {
	const source = new RTCVideoSource();
	const track = source.createTrack();
	every(1_000 / 30, track, (count) => {
		const data = new Uint8Array((WIDTH * HEIGHT * 3) / 2).fill(128);
		const at = (count * 4) % WIDTH;
		for (let row = 0; row < HEIGHT; row++) data.fill(220, row * WIDTH + at, row * WIDTH + Math.min(WIDTH, at + 40));
		source.onFrame({ width: WIDTH, height: HEIGHT, data });
	});
	return track;
}

function listen(track: MediaStreamTrack): Watcher {
	const ear = new Ear();
	const sink = new RTCAudioSink(track);
	sink.ondata = ({ samples, sampleRate, channelCount }) => {
		const left = samples.filter((_, index) => index % channelCount === 0);
		ear.hear(
			Float32Array.from(left, (sample) => sample / 32_768),
			sampleRate,
		);
	};
	return { read: async () => ear.heard(), stop: () => sink.stop() };
}

function look(track: MediaStreamTrack): Watcher {
	const seen: Seen & { moving: number } = { frames: 0, moving: 0, width: 0, height: 0 };
	let last = '';
	const sink = new RTCVideoSink(track);
	sink.onframe = ({ frame: { width, height, data } }) => {
		const now = createHash('sha256').update(data).digest('hex');
		if (now !== last) seen.moving++;
		last = now;
		Object.assign(seen, { frames: seen.frames + 1, width, height });
	};
	return { read: async () => ({ ...seen }), stop: () => sink.stop() };
}

const end = new W3cEnd({
	...wrtc,
	source: (kind) => (kind === 'audio' ? tone() : picture()),
	watch: (track) => (track.kind === 'audio' ? listen(track) : look(track)),
	digest: (bytes) => createHash('sha256').update(bytes).digest('hex'),
});
await serve(end, versionOf('@roamhq/wrtc'));
