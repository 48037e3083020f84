/** The page of a browser's end: it speaks to the driver by the WebSocket of its own address. */
import { TONES } from '../../driver/protocol.ts';
import { answerTo, candidateLine, readyLine } from '../lines.ts';
import { type Platform, W3cEnd, type Watcher } from '../W3cEnd.ts';

const PLATFORM: Platform = {
	RTCPeerConnection,
	RTCRtpReceiver,
	MediaStream,
	source: (kind) => {
		if (kind === 'video') return picture();
		return navigator.userAgent.includes('Firefox') ? fakeTone() : tone();
	},
	watch,
	async digest(bytes) {
		const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
		return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
	},
};

/** Firefox's AudioContext stands still without a device for sound; its fake microphone does not. */
async function fakeTone(): Promise<MediaStreamTrack> {
	const constraints = { audio: true, fake: true };
	return (await navigator.mediaDevices.getUserMedia(constraints)).getAudioTracks()[0]!;
}

function tone(): MediaStreamTrack {
	const context = new AudioContext();
	const oscillator = new OscillatorNode(context, { frequency: TONES.peer });
	const destination = context.createMediaStreamDestination();
	oscillator.connect(new GainNode(context, { gain: 0.5 })).connect(destination);
	oscillator.start();
	return destination.stream.getAudioTracks()[0]!;
}

/** A bar that wanders over a canvas, 30 times a second. */
function picture(): MediaStreamTrack {
	const canvas = document.createElement('canvas');
	[canvas.width, canvas.height] = [320, 240];
	const context = canvas.getContext('2d')!;
	let at = 0;
	setInterval(() => {
		context.fillStyle = 'grey';
		context.fillRect(0, 0, canvas.width, canvas.height);
		context.fillStyle = 'white';
		at = (at + 4) % canvas.width;
		context.fillRect(at, 0, 40, canvas.height);
	}, 1_000 / 30);
	return canvas.captureStream().getVideoTracks()[0]!;
}

interface InboundStat {
	type: string;
	framesDecoded?: number;
	frameWidth?: number;
	frameHeight?: number;
	totalSamplesReceived?: number;
	totalSamplesDuration?: number;
	totalAudioEnergy?: number;
}

/** What plays in an element is decoded; the browser's own statistics count it. */
function watch(track: MediaStreamTrack, connection: RTCPeerConnection): Watcher {
	const element = document.createElement(track.kind) as HTMLMediaElement;
	document.body.append(element);
	element.autoplay = true;
	element.srcObject = new MediaStream([track]);
	return {
		async read() {
			const stat: Partial<InboundStat> = {};
			for (const [, found] of await connection.getStats(track))
				if (found.type === 'inbound-rtp') Object.assign(stat, found);
			if (track.kind === 'video') {
				const { framesDecoded = 0, frameWidth = 0, frameHeight = 0 } = stat;
				return { frames: framesDecoded, width: frameWidth, height: frameHeight };
			}
			const { totalSamplesDuration: seconds = 0, totalAudioEnergy = 0 } = stat;
			return { seconds, level: Math.sqrt(totalAudioEnergy / Math.max(seconds, 1e-3)) };
		},
		stop: () => element.remove(),
	};
}

const socket = new WebSocket(`ws://${location.host}`);
const end = new W3cEnd(PLATFORM);
end.oncandidate = (candidate) => socket.send(candidateLine(candidate));
socket.onopen = () => socket.send(readyLine(/(?:Chrome|Firefox)\/(\d+)/.exec(navigator.userAgent)![1]!));
socket.onmessage = async ({ data }) => socket.send(await answerTo(end, data));
