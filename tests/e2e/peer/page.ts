/** A native peer in a page, under `peer` in its global scope; the test calls it by page.evaluate. */
import { band, columns, crc16, rows } from '../../../demo/verify/pictureCode.ts';
import { Peer } from './Peer.ts';

export interface PageGlobals {
	createPeer(options: { trickle: boolean }): void;
	addMedia(media: { code: number; tone: number; codec?: string }): void;
	peer: Peer;
	/** Shows and plays what came, in <video id="remote">. */
	play(): void;
	/** Given by the test. */
	onCandidate(candidate: RTCIceCandidateInit | null): void;
}

const page = globalThis as unknown as PageGlobals;
const video = document.querySelector('video')!;

page.createPeer = ({ trickle }) => {
	page.peer = new Peer(trickle ? { onCandidate: (candidate) => page.onCandidate(candidate) } : {});
};

page.addMedia = ({ code, tone, codec }) => {
	page.peer.add(picture(code), codec);
	page.peer.add(sound(tone));
};

page.play = () => {
	video.srcObject = new MediaStream([...page.peer.remote.values()]);
	void video.play();
};

/** A picture with a code and a counter burnt in, 30 a second. */
function picture(code: number): MediaStreamTrack {
	const canvas = document.createElement('canvas');
	[canvas.width, canvas.height] = [320, 240];
	const context = canvas.getContext('2d')!;
	let counter = 0;
	setInterval(() => burn(context, code, counter++ & 0xffff), 1_000 / 30);
	return canvas.captureStream().getVideoTracks()[0]!;
}

function burn(context: CanvasRenderingContext2D, code: number, counter: number): void {
	const { width, height } = context.canvas;
	const checked = new DataView(new ArrayBuffer(6));
	checked.setUint16(0, code);
	checked.setUint16(2, counter);
	checked.setUint16(4, crc16(new Uint8Array(checked.buffer, 0, 4)));
	context.fillStyle = '#808080';
	context.fillRect(0, 0, width, height);
	const [cellWidth, cellHeight] = [width / columns, (height * band) / rows];
	for (let cell = 0; cell < columns * rows; cell++) {
		const bit = checked.getUint8(cell >> 3) & (0x80 >> (cell & 7));
		context.fillStyle = bit ? 'white' : 'black';
		const [x, y] = [(cell % columns) * cellWidth, Math.floor(cell / columns) * cellHeight];
		context.fillRect(x, y, cellWidth, cellHeight);
	}
}

function sound(frequency: number): MediaStreamTrack {
	const context = new AudioContext();
	const oscillator = new OscillatorNode(context, { frequency });
	const destination = context.createMediaStreamDestination();
	oscillator.connect(new GainNode(context, { gain: 0.5 })).connect(destination);
	oscillator.start();
	return destination.stream.getAudioTracks()[0]!;
}
