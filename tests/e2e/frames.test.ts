/** VideoFrame and AudioData in Node beside Chromium's own: the same sizes and errors, and the same pixels but for rounding. */
import path from 'node:path';
import { AudioData, shim, VideoFrame } from 'aiortc-shim';
import { build } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { launchChromium } from './browser.ts';
import { type FrameClasses, type Outcomes, tryCases } from './frames/cases.ts';

/** Of colours: libswscale's tables are within 3 of exact, and each side spreads chroma in its way. */
const COLOUR_TOLERANCE = 3;
/** Of a sample: the page scales what is above 0 by one less than what is below. */
const SAMPLE_TOLERANCE: Record<string, number> = { u8: 1, s16: 2 ** 8, s32: 2 ** 24, f32: 1 / 127 };

const here = await tryCases({ VideoFrame, AudioData } as unknown as FrameClasses);
const there = await inChromium();

async function inChromium(): Promise<Outcomes> {
	const entry = path.join(import.meta.dirname, 'frames', 'page.ts');
	const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, format: 'iife' });
	const browser = await launchChromium();
	try {
		const page = await browser.newPage();
		await page.addScriptTag({ content: outputFiles[0]!.text });
		return await page.evaluate(() => (globalThis as unknown as { tryCases(): Promise<Outcomes> }).tryCases());
	} finally {
		await browser.close();
	}
}

interface Pixels {
	layout: unknown;
	pixels: number[];
}

interface Samples {
	size: number;
	to: string;
	samples: number[];
}

test('both sides tried the same', () => {
	assert.ok(Object.keys(here).length > 250);
	assert.equal(Object.keys(here), Object.keys(there));
});

test('what is made, what is refused and what it is called agree with Chromium', () => {
	const differing = Object.keys(here).filter(
		(name) => JSON.stringify(plain(here[name])) !== JSON.stringify(plain(there[name])),
	);
	assert.equal(
		differing.map((name) => `${name}: ${JSON.stringify(plain(here[name]))}, not ${JSON.stringify(plain(there[name]))}`),
		[],
	);
});

test(`pixels agree with Chromium's within ${COLOUR_TOLERANCE}`, () => {
	for (const [name, outcome] of Object.entries(here)) {
		const ours = (outcome as Pixels | null)?.pixels;
		const theirs = (there[name] as Pixels | null)?.pixels;
		if (!ours || !theirs) continue;
		const worst = Math.max(...ours.map((value, index) => Math.abs(value - theirs[index]!)));
		assert.ok(worst <= COLOUR_TOLERANCE, `${name}: ${worst}`);
	}
});

test("samples agree with Chromium's but for its scale", () => {
	for (const [name, outcome] of Object.entries(here)) {
		const ours = outcome as Samples | null;
		const theirs = there[name] as Samples | null;
		if (!ours?.samples) continue;
		const tolerance = SAMPLE_TOLERANCE[ours.to.replace('-planar', '')]!;
		const worst = Math.max(...ours.samples.map((value, index) => Math.abs(value - theirs!.samples[index]!)));
		assert.ok(worst <= tolerance, `${name}: ${worst}`);
	}
});

/** Without what may differ by rounding. */
function plain(outcome: unknown): unknown {
	if (typeof outcome !== 'object' || outcome === null) return outcome;
	const { pixels, samples, ...rest } = outcome as Partial<Pixels & Samples>;
	return pixels || samples ? { ...rest, count: (pixels ?? samples)!.length } : outcome;
}

test.after(() => shim.close());

test.run();
