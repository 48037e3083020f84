/** What tests and demo verify pictures and sound with is verified here. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readPictureCode } from '../../demo/verify/pictureCode.ts';
import { level, toneFrequency, toneShare } from '../../demo/verify/tone.ts';

/** Cells of the picture that the worker draws for code 7, counter 299: its test shows the same numbers. */
const cells = ['00000000', '00000111', '00000001', '00101011'];

function draw(bits: string, width: number, height: number, stride = width): Uint8Array {
	const luma = new Uint8Array(stride * height).fill(126);
	for (let y = 0; y < Math.round(height * 0.6); y++) {
		for (let x = 0; x < width; x++) {
			const cell = Math.floor(y / ((height * 0.6) / 6)) * 8 + Math.floor((x * 8) / width);
			luma[y * stride + x] = bits[cell] === '1' ? 235 : 16;
		}
	}
	return luma;
}

/** CRC-16/CCITT-FALSE, bit by bit over the text of bits. */
function withCrc(bits: string): string {
	let crc = 0xffff;
	for (const bit of bits) {
		const carry = (crc >> 15) ^ Number(bit);
		crc = ((crc << 1) & 0xffff) ^ (carry ? 0x1021 : 0);
	}
	return bits + crc.toString(2).padStart(16, '0');
}

function tone(frequency: number, seconds: number, sampleRate = 48_000): Int16Array {
	const sample = (_: number, index: number) => 8000 * Math.sin((2 * Math.PI * frequency * index) / sampleRate);
	return Int16Array.from({ length: seconds * sampleRate }, sample as () => number);
}

test('the code is read at any size, with rows of any stride', () => {
	const bits = withCrc(cells.join(''));
	for (const [width, height] of [
		[64, 48],
		[320, 240],
		[642, 362],
	] as const) {
		assert.equal(readPictureCode(draw(bits, width, height), width, height), { code: 7, counter: 299 });
		const stride = width + 13;
		assert.equal(readPictureCode(draw(bits, width, height, stride), width, height, stride), { code: 7, counter: 299 });
	}
});

test('no code is read where there is none', () => {
	const bits = withCrc(cells.join(''));
	const flipped = `${bits.slice(0, -1)}${bits.endsWith('1') ? 0 : 1}`;
	assert.is(readPictureCode(draw(flipped, 320, 240), 320, 240), null);
	for (const shade of [0, 16, 126, 235, 255]) {
		assert.is(readPictureCode(new Uint8Array(320 * 240).fill(shade), 320, 240), null);
	}
});

test('the frequency of a tone is told within a tenth of a percent', () => {
	for (const frequency of [100, 440, 660, 1000, 5000]) {
		assert.ok(Math.abs(toneFrequency(tone(frequency, 0.5), 48_000) / frequency - 1) < 0.001, `${frequency} Hz`);
	}
	assert.is(toneFrequency(new Int16Array(4800), 48_000), 0);
});

test('a gap and noise do not spoil it', () => {
	const samples = tone(440, 0.5).map((sample) => sample + (Math.random() - 0.5) * 400);
	samples.fill(0, 5000, 6000);
	assert.ok(Math.abs(toneFrequency(samples, 48_000) - 440) < 2);
});

test('the share of a tone is near 1 in a pure one and near 0 elsewhere', () => {
	assert.ok(toneShare(tone(440, 0.5), 48_000, 440) > 0.99);
	assert.ok(toneShare(tone(440, 0.5), 48_000, 660) < 0.01);
	assert.is(toneShare(new Int16Array(4800), 48_000, 440), 0);
});

test('level is 0 in silence and 1 for a square wave of full scale', () => {
	assert.is(level(new Int16Array(480)), 0);
	assert.ok(
		Math.abs(level(Int16Array.from({ length: 480 }, (_, index) => (index % 2 ? 32_767 : -32_768))) - 1) < 0.001,
	);
});

test.run();
