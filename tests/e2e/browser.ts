/** A Chromium for tests, and what it shows and plays, seen from Node. */
import { type Browser, chromium, type Page } from 'playwright-core';
import { type PictureCode, readPictureCode } from '../../demo/verify/pictureCode.ts';
import { toneFrequency } from '../../demo/verify/tone.ts';
import { ensureChromium } from '../../scripts/system-packages.ts';

export const CHROMIUM_ARGS = [
	'--no-sandbox',
	'--disable-gpu',
	'--disable-quic',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--disable-sync',
	'--autoplay-policy=no-user-gesture-required',
	'--use-fake-device-for-media-stream',
	'--use-fake-ui-for-media-stream',
];

export async function launchChromium(): Promise<Browser> {
	return chromium.launch({ executablePath: await ensureChromium(), headless: true, args: CHROMIUM_ARGS });
}

/** The code burnt into the picture that a <video> shows now, or null. */
export async function pictureCodeOf(page: Page, selector: string): Promise<PictureCode | null> {
	const picture = await page.$eval(selector, (element) => {
		const video = element as HTMLVideoElement;
		const [width, height] = [video.videoWidth, video.videoHeight];
		if (width === 0) return null;
		const context = new OffscreenCanvas(width, height).getContext('2d')!;
		context.drawImage(video, 0, 0);
		const { data } = context.getImageData(0, 0, width, height);
		// Black and white are what is told apart: green alone says it, scaled from full to limited range.
		let luma = '';
		for (let at = 1; at < data.length; at += 4) luma += String.fromCharCode(16 + (data[at]! * 219) / 255);
		return { luma: btoa(luma), width, height };
	});
	return picture && readPictureCode(Buffer.from(picture.luma, 'base64'), picture.width, picture.height, picture.width);
}

/** The frequency of the last 0.68 s that a <video> or <audio> plays, in Hz; null where there is silence. */
export async function toneOf(page: Page, selector: string): Promise<number | null> {
	const { samples, sampleRate } = await page.$eval(selector, async (element) => {
		const stream = (element as HTMLMediaElement).srcObject as MediaStream;
		const context = new AudioContext();
		const analyser = new AnalyserNode(context, { fftSize: 32_768 });
		context.createMediaStreamSource(new MediaStream(stream.getAudioTracks())).connect(analyser);
		await new Promise((resolve) => setTimeout(resolve, (analyser.fftSize / context.sampleRate) * 1_000 + 100));
		const samples = new Float32Array(analyser.fftSize);
		analyser.getFloatTimeDomainData(samples);
		const { sampleRate } = context;
		await context.close();
		return { samples: Array.from(samples), sampleRate };
	});
	return toneFrequency(samples, sampleRate);
}
