/** mediasoup-client in a page over the shim: it produces and consumes in a room, where Chromium itself sees and hears it. */
import path from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bridge, startBridge } from '../../bridge/server.ts';
import { Demo } from '../../demo/server.ts';
import { ensureMediasoupWorker } from '../../scripts/mediasoup-worker.ts';
import { PAGE_SCRIPT } from '../../scripts/page-script.ts';
import { launchChromium, pictureCodeOf, toneOf } from './browser.ts';
import { eventually } from './eventually.ts';
import type { RoomGlobals } from './peer/room.ts';

const PATIENCE = 30_000;
const BRIDGED = { name: 'Bridged', code: 21, tone: 660 };
const NATIVE = { name: 'Native', code: 42, tone: 440 };

let browser: Browser;
let bridge: Bridge;
let demo: Demo;
let bridged: Page;
let native: Page;

test.before(async () => {
	[bridge, browser] = await Promise.all([startBridge({ workers: 1, spares: 0 }), launchChromium()]);
	demo = await Demo.serve({
		workerBin: await ensureMediasoupWorker(),
		port: 0,
		page: await pageFiles(),
		bridge: async () => ({ url: bridge.url, token: bridge.token }),
	});
	[bridged, native] = await Promise.all([browser.newPage(), browser.newPage()]);
	await Promise.all([bridged.goto(`${demo.url}/bridge`), native.goto(demo.url)]);
});

test.after(async () => {
	await browser.close();
	await demo.close();
	await bridge.close();
});

test('mediasoup-client takes the shim for the Chromium that it runs in', async () => {
	const isNative = () => /\[native code\]/.test(String(RTCPeerConnection));
	assert.equal([await bridged.evaluate(isNative), await native.evaluate(isNative)], [false, true]);
	assert.equal([await join(bridged, BRIDGED), await join(native, NATIVE)], ['Chrome111', 'Chrome111']);
});

test('a page through the bridge sees and hears a native one of the room, and the other way round', async () => {
	await shows(bridged, NATIVE);
	await shows(native, BRIDGED);
});

test('what a page pauses stands still, and goes on', async () => {
	await pauseSending(bridged, true);
	await eventually(async () => ((await moves(native, BRIDGED)) ? null : true), PATIENCE, 'the picture to stand');
	await pauseSending(bridged, false);
	await shows(native, BRIDGED);
});

test('a page that leaves the room is gone from it, and may come again', async () => {
	await bridged.evaluate(() => (globalThis as unknown as RoomGlobals).leave());
	const isEmpty = (selector: string) => {
		const { srcObject } = document.querySelector(selector) as HTMLVideoElement;
		return (srcObject as MediaStream).getTracks().length === 0;
	};
	await native.waitForFunction(isEmpty, videoOf(BRIDGED), { timeout: PATIENCE });
	await bridged.reload();
	const again = { name: 'Again', code: 77, tone: 880 };
	await join(bridged, again);
	await shows(native, again);
	await shows(bridged, NATIVE);
});

async function pageFiles() {
	const options = { bundle: true, write: false, format: 'iife', outdir: '/' } as const;
	const bundle = async (each: BuildOptions) => {
		const { outputFiles } = await build({ ...each, ...options });
		return { type: 'text/javascript', body: outputFiles[0]!.contents };
	};
	const html = '<!doctype html><!-- shim --><body><script src="/room.js"></script>';
	return new Map([
		['/', { type: 'text/html; charset=utf-8', body: new TextEncoder().encode(html) }],
		['/room.js', await bundle({ entryPoints: [path.join(import.meta.dirname, 'peer', 'room.ts')] })],
		['/aiortc-shim.global.js', await bundle(PAGE_SCRIPT)],
	]);
}

function join(page: Page, person: typeof NATIVE): Promise<string> {
	return page.evaluate(({ name, ...media }) => (globalThis as unknown as RoomGlobals).join(name, media), person);
}

function pauseSending(page: Page, paused: boolean): Promise<void> {
	return page.evaluate((paused) => (globalThis as unknown as RoomGlobals).pauseSending(paused), paused);
}

/** That person's picture, which moves, and tone. */
async function shows(page: Page, person: typeof NATIVE): Promise<void> {
	const { name, code, tone } = person;
	const video = videoOf(person);
	await page.locator(video).waitFor({ state: 'attached', timeout: PATIENCE });
	const right = async () => ((await pictureCodeOf(page, video))?.code === code ? true : null);
	await eventually(right, PATIENCE, `the picture of ${name}`);
	await eventually(async () => ((await moves(page, person)) ? true : null), PATIENCE, `${name} to move`);
	const heard = async () => {
		const found = await toneOf(page, video);
		return found !== null && Math.abs(found - tone) < tone / 100 ? true : null;
	};
	await eventually(heard, PATIENCE, `a tone of ${tone} Hz`);
}

/** Whether two pictures a second apart differ. */
async function moves(page: Page, person: typeof NATIVE): Promise<boolean> {
	const first = await pictureCodeOf(page, videoOf(person));
	await new Promise((resolve) => setTimeout(resolve, 1_000));
	const second = await pictureCodeOf(page, videoOf(person));
	return first !== null && second !== null && first.counter !== second.counter;
}

function videoOf({ name }: typeof NATIVE): string {
	return `[data-peer="${name}"]`;
}

test.run();
