/** A page's own picture and sound, which a receiver can tell from any other. */
import { band, columns, crc16, rows } from '../../../demo/verify/pictureCode.ts';

/** A picture with a code and a counter burnt in, 30 a second. */
export function picture(code: number): MediaStreamTrack {
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

/** A tone, `frequency` in Hz. */
export function sound(frequency: number): MediaStreamTrack {
	const context = new AudioContext();
	const oscillator = new OscillatorNode(context, { frequency });
	const destination = context.createMediaStreamDestination();
	oscillator.connect(new GainNode(context, { gain: 0.5 })).connect(destination);
	oscillator.start();
	return destination.stream.getAudioTracks()[0]!;
}
