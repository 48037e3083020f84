/** The person's camera and microphone, or something in their place where there is none. */
import { whyNoDevice } from './words.ts';

export interface Capture {
	track: MediaStreamTrack;
	/** What is sent, for a person. */
	what: string;
	/** Ends the track and what feeds it. */
	stop(): void;
}

const WIDTH = 640;
const HEIGHT = 480;

/** @throws {Error} with a sentence that says why there is none */
export function openCamera(): Promise<Capture> {
	return open('video', { width: { ideal: WIDTH }, height: { ideal: HEIGHT } }, drawPicture);
}

/** @throws {Error} with a sentence that says why there is none */
export function openMicrophone(): Promise<Capture> {
	return open('audio', { echoCancellation: true, noiseSuppression: true }, playTone);
}

async function open(
	kind: 'audio' | 'video',
	constraints: MediaTrackConstraints,
	makeUp: () => Capture,
): Promise<Capture> {
	const device = kind === 'video' ? 'camera' : 'microphone';
	try {
		const [track] = (await navigator.mediaDevices.getUserMedia({ [kind]: constraints })).getTracks();
		return { track: track!, what: `your ${device}: ${track!.label || 'it has no name'}`, stop: () => track!.stop() };
	} catch (error) {
		if ((error as Error).name !== 'NotFoundError') throw new Error(`No ${device}: ${whyNoDevice(error)}.`);
		return makeUp();
	}
}

/** A picture that moves: a hand goes round once in a second. */
function drawPicture(): Capture {
	const canvas = document.createElement('canvas');
	canvas.width = WIDTH;
	canvas.height = HEIGHT;
	const context = canvas.getContext('2d')!;
	const began = performance.now();
	const draw = () => drawClock(context, (performance.now() - began) / 1_000);
	draw();
	const timer = setInterval(draw, 1_000 / 15);
	const [track] = canvas.captureStream().getVideoTracks();
	const stop = () => {
		clearInterval(timer);
		track!.stop();
	};
	return { track: track!, what: 'a drawn picture, as there is no camera', stop };
}

function drawClock(context: CanvasRenderingContext2D, seconds: number): void {
	const radius = HEIGHT * 0.3;
	const angle = seconds * 2 * Math.PI - Math.PI / 2;
	context.resetTransform();
	context.fillStyle = '#1d2533';
	context.fillRect(0, 0, WIDTH, HEIGHT);
	context.translate(WIDTH / 2, HEIGHT / 2);
	context.lineCap = 'round';
	context.lineWidth = 10;
	context.strokeStyle = '#3a4a66';
	context.beginPath();
	context.arc(0, 0, radius, 0, 2 * Math.PI);
	context.stroke();
	context.strokeStyle = '#8fb4ff';
	context.beginPath();
	context.arc(0, 0, radius, angle - 1, angle);
	context.stroke();
	context.fillStyle = '#e8eefc';
	context.font = `600 ${HEIGHT / 7}px ${getComputedStyle(document.body).fontFamily}`;
	context.textAlign = 'center';
	context.textBaseline = 'middle';
	context.fillText(seconds.toFixed(1), 0, 0);
}

/** A soft tone of 330 Hz. */
function playTone(): Capture {
	const audio = new AudioContext();
	const tone = new OscillatorNode(audio, { frequency: 330 });
	const volume = new GainNode(audio, { gain: 0.1 });
	const end = new MediaStreamAudioDestinationNode(audio);
	tone.connect(volume).connect(end);
	tone.start();
	const [track] = end.stream.getAudioTracks();
	const stop = () => {
		track!.stop();
		void audio.close();
	};
	return { track: track!, what: 'a soft tone, as there is no microphone', stop };
}
