/** Pictures and sound of a page whose WebRTC is the shim's, over a bridge, against a page that has Chromium's own. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bridge, startBridge } from '../../bridge/server.ts';
import { launchChromium, pictureCodeOf, toneOf } from './browser.ts';
import { eventually } from './eventually.ts';
import type { BridgedGlobals } from './peer/bridged.ts';
import type { PageGlobals } from './peer/page.ts';

const PATIENCE = 30_000;
const BRIDGED = { code: 7, tone: 660 };
const NATIVE = { code: 5, tone: 440 };

type Globals = PageGlobals & BridgedGlobals;

let browser: Browser;
let bridge: Bridge;
let scripts: Record<'bridged' | 'page', string>;
/** A page of the loopback interface may reach the bridge there; a secure context, which devices and frames need. */
const server = createServer((_, response) => {
	response.setHeader('content-type', 'text/html');
	response.end('<!doctype html><video autoplay></video>');
}).listen(0, 'localhost');

test.before(async () => {
	const bundle = async (name: string) => {
		const entry = path.join(import.meta.dirname, 'peer', `${name}.ts`);
		const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, format: 'iife' });
		return outputFiles[0]!.text;
	};
	scripts = { bridged: await bundle('bridged'), page: await bundle('page') };
	bridge = await startBridge({ workers: 1, spares: 0, graceSeconds: 2 });
	browser = await launchChromium();
});

test.after(async () => {
	server.close();
	await browser.close();
	await bridge.close();
});

test('a page through the bridge and a native one see and hear each other', () =>
	inCall(async (pages) => {
		await shows(pages.bridged, NATIVE);
		await shows(pages.native, BRIDGED);
	}));

test('a remote track is the browser’s own, with our life', () =>
	inCall(async (pages) => {
		const looked = await pages.bridged.evaluate(() => {
			const { remote } = (globalThis as unknown as Globals).peer;
			return [...remote.values()].map((track) => ({
				isTrack: track instanceof MediaStreamTrack && Object.prototype.toString.call(track),
				isNative: /\[native code\]/.test(String(MediaStreamTrack)) && /\[native code\]/.test(String(MediaStream)),
				label: track.label,
				readyState: track.readyState,
				found: new MediaStream([track]).getTrackById(track.id) === track,
			}));
		});
		for (const each of looked) {
			const { label, ...rest } = each;
			assert.match(label, /^remote (audio|video)$/);
			assert.equal(rest, { isTrack: '[object MediaStreamTrack]', isNative: true, readyState: 'live', found: true });
		}
		const ended = pages.bridged.evaluate(async () => {
			const { peer } = globalThis as unknown as Globals;
			const track = peer.remote.get('video')!;
			const handled = new Promise((resolve) => {
				track.onended = resolve;
			});
			await handled;
			return { readyState: track.readyState, stopped: new MediaStream([track]).active };
		});
		await pages.native.evaluate(() => {
			for (const each of (globalThis as unknown as Globals).peer.connection.getTransceivers()) each.stop();
		});
		await negotiate(pages.native, pages.bridged);
		assert.equal(await ended, { readyState: 'ended', stopped: false });
		await noneOf(pages.bridged, 'FrameReader');
	}));

test('mute and unmute tell whether packets come', () =>
	inCall(async (pages) => {
		await shows(pages.bridged, NATIVE);
		const heard = pages.bridged.evaluate(async () => {
			const track = (globalThis as unknown as Globals).peer.remote.get('video')!;
			const said: [string, boolean][] = [];
			await new Promise<void>((resolve) => {
				track.onmute = () => said.push(['mute', track.muted]);
				track.addEventListener('unmute', () => {
					said.push(['unmute', track.muted]);
					resolve();
				});
			});
			return said;
		});
		const active = (value: boolean) =>
			pages.native.evaluate(async (value) => {
				const { connection } = (globalThis as unknown as Globals).peer;
				const sender = connection.getSenders().find(({ track }) => track?.kind === 'video')!;
				const parameters = sender.getParameters();
				for (const encoding of parameters.encodings) encoding.active = value;
				await sender.setParameters(parameters);
			}, value);
		await active(false);
		await pages.bridged.waitForFunction(() => (globalThis as unknown as Globals).peer.remote.get('video')!.muted);
		await active(true);
		assert.equal(await heard, [
			['mute', true],
			['unmute', false],
		]);
		await shows(pages.bridged, NATIVE);
	}));

test('a remote track that is disabled is black and silent, and crosses the bridge no more until enabled', () =>
	inCall(async (pages) => {
		await shows(pages.bridged, NATIVE);
		await enableRemote(pages.bridged, false);
		await goesDark(pages.bridged);
		await noneOf(pages.bridged, 'FrameReader');
		await enableRemote(pages.bridged, true);
		await shows(pages.bridged, NATIVE);
	}));

test('a clone of a remote track goes on when the first is stopped', () =>
	inCall(async (pages) => {
		await shows(pages.bridged, NATIVE);
		await pages.bridged.evaluate(() => {
			const video = document.querySelector('video')!;
			const before = video.srcObject as MediaStream;
			const clone = before.clone();
			for (const track of before.getTracks()) track.stop();
			video.srcObject = clone;
			void video.play();
		});
		await shows(pages.bridged, NATIVE, { play: false });
	}));

test('a page’s own track that is disabled is sent black and silent', () =>
	inCall(async (pages) => {
		await shows(pages.native, BRIDGED);
		const enable = (value: boolean) =>
			pages.bridged.evaluate((value) => {
				for (const { track } of (globalThis as unknown as Globals).peer.connection.getSenders()) track!.enabled = value;
			}, value);
		await enable(false);
		await goesDark(pages.native);
		await enable(true);
		await shows(pages.native, BRIDGED);
	}));

test('a canvas that is drawn once is sent, of odd size, too, and a camera in its place', () =>
	inCall(async (pages) => {
		await pages.bridged.evaluate(async () => {
			const { peer } = globalThis as unknown as Globals;
			const canvas = document.createElement('canvas');
			[canvas.width, canvas.height] = [321, 241];
			const context = canvas.getContext('2d')!;
			const track = canvas.captureStream().getVideoTracks()[0]!;
			context.fillStyle = 'rgb(200 40 40)';
			context.fillRect(0, 0, 321, 241);
			const sender = peer.connection.getSenders().find((each) => each.track?.kind === 'video')!;
			await sender.replaceTrack(track);
		});
		const red = async () => {
			const [r, g, b] = await middleOf(pages.native);
			return r! > 150 && g! < 90 && b! < 90 ? true : null;
		};
		await play(pages.native);
		await eventually(red, PATIENCE, 'the red canvas');
		const settings = await pages.bridged.evaluate(async () => {
			const media = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240 } });
			const { peer } = globalThis as unknown as Globals;
			const track = media.getVideoTracks()[0]!;
			await peer.connection
				.getSenders()
				.find((each) => each.track?.kind === 'video')!
				.replaceTrack(track);
			return track.getSettings();
		});
		assert.is(settings.width, 320);
		// The fake camera's picture is green.
		const green = async () => {
			const [r, g, b] = await middleOf(pages.native);
			return g! > r! + 40 && g! > b! + 40 ? true : null;
		};
		await eventually(green, PATIENCE, 'the fake camera');
	}));

test('a page’s own track that ends leaves nothing of it in the worker', () =>
	inCall(async (pages) => {
		await shows(pages.native, BRIDGED);
		assert.is((await objects(pages.bridged)).FrameWriter, 2);
		await pages.bridged.evaluate(() => {
			for (const { track } of (globalThis as unknown as Globals).peer.connection.getSenders()) track!.stop();
		});
		await noneOf(pages.bridged, 'FrameWriter');
		await noneOf(pages.bridged, 'MediaSource');
	}));

test('a page that sends to nobody reads no frames and sends none over the bridge, and lets go of tracks that end meanwhile', async () => {
	const pages = await openPages();
	const { bytes, copies } = await pages.bridged.evaluate(async (mine) => {
		const counted = { bytes: 0, copies: 0 };
		const { send } = WebSocket.prototype;
		WebSocket.prototype.send = function (data) {
			if (typeof data !== 'string') counted.bytes += (data as ArrayBufferView).byteLength;
			send.call(this, data);
		};
		const { copyTo } = VideoFrame.prototype;
		VideoFrame.prototype.copyTo = function (...args) {
			counted.copies++;
			return copyTo.apply(this, args);
		};
		const { addMedia } = globalThis as unknown as Globals;
		addMedia(mine);
		await new Promise((resolve) => setTimeout(resolve, 2_000));
		return counted;
	}, BRIDGED);
	// A picture, as the canvas has it, and a second of sound: what goes without credit.
	assert.ok(bytes < 320 * 240 * 4 + 50 * 4_000, `${bytes} bytes`);
	assert.is(copies, 1);
	await pages.bridged.evaluate(() => {
		for (const { track } of (globalThis as unknown as Globals).peer.connection.getSenders()) track!.stop();
	});
	await noneOf(pages.bridged, 'FrameWriter');
	await leave(pages);
});

test('a page that is closed leaves nothing in the worker', async () => {
	const pages = await call();
	await shows(pages.bridged, NATIVE);
	assert.is(bridge.sessions, 1);
	await leave(pages);
});

interface Pages {
	bridged: Page;
	native: Page;
}

/** Both ends with media both ways, connected. */
async function call(): Promise<Pages> {
	const pages = await openPages();
	for (const [page, mine] of [
		[pages.bridged, BRIDGED],
		[pages.native, NATIVE],
	] as const) {
		await page.evaluate((mine) => (globalThis as unknown as Globals).addMedia(mine), mine);
	}
	// Which keeps the transport when all media has ended.
	await pages.bridged.evaluate(() => (globalThis as unknown as Globals).peer.openChannel());
	await negotiate(pages.bridged, pages.native);
	return pages;
}

async function inCall(body: (pages: Pages) => Promise<void>): Promise<void> {
	const pages = await call();
	try {
		await body(pages);
	} finally {
		await leave(pages);
	}
}

async function openPages(): Promise<Pages> {
	const pages = { bridged: await openPage(['bridged', 'page']), native: await openPage(['page']) };
	for (const page of Object.values(pages)) {
		await page.evaluate(() => (globalThis as unknown as Globals).createPeer({ trickle: false }));
	}
	return pages;
}

async function openPage(names: (keyof typeof scripts)[]): Promise<Page> {
	const page = await browser.newPage({ permissions: ['camera', 'microphone'] });
	await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
	const variables = { AIORTC_SHIM_URL: bridge.url, AIORTC_SHIM_TOKEN: bridge.token };
	await page.evaluate((variables) => Object.assign(globalThis, variables), variables);
	for (const name of names) await page.addScriptTag({ content: scripts[name] });
	return page;
}

async function negotiate(offerer: Page, answerer: Page): Promise<void> {
	const offer = await offerer.evaluate(() => (globalThis as unknown as Globals).peer.offer());
	const answer = await answerer.evaluate((sdp) => (globalThis as unknown as Globals).peer.answer(sdp), offer);
	await offerer.evaluate((sdp) => (globalThis as unknown as Globals).peer.accept(sdp), answer);
}

/** As a person leaves, which the browser says; a page that is killed leaves its session the grace time. */
async function leave({ bridged, native }: Pages): Promise<void> {
	await bridged.goto('about:blank');
	await bridged.close();
	await native.close();
	await eventually(async () => (bridge.sessions === 0 ? true : null), PATIENCE, 'the session to end');
}

function play(page: Page): Promise<void> {
	return page.evaluate(() => (globalThis as unknown as Globals).play());
}

/** A picture with that code that moves, and the tone. */
async function shows(page: Page, expected: typeof NATIVE, { play: plays = true } = {}): Promise<void> {
	if (plays) await play(page);
	const shown = async () => {
		const found = await pictureCodeOf(page, 'video');
		return found?.code === expected.code ? found : null;
	};
	const first = await eventually(shown, PATIENCE, `the picture with code ${expected.code}`);
	const later = async () => {
		const found = await shown();
		return found && found.counter !== first.counter ? found : null;
	};
	await eventually(later, PATIENCE, 'a picture that moves');
	const heard = async () => {
		const tone = await toneOf(page, 'video');
		return tone !== null && Math.abs(tone - expected.tone) < expected.tone / 100 ? tone : null;
	};
	await eventually(heard, PATIENCE, `a tone of ${expected.tone} Hz`);
}

/** A black picture and silence. */
async function goesDark(page: Page): Promise<void> {
	const black = async () => ((await middleOf(page)).every((value) => value < 20) ? true : null);
	await eventually(black, PATIENCE, 'a black picture');
	await eventually(async () => ((await toneOf(page, 'video')) ? null : true), PATIENCE, 'silence');
}

/** Red, green and blue in the lower middle of what a page shows, where no code is. */
function middleOf(page: Page): Promise<number[]> {
	return page.$eval('video', (video) => {
		const context = new OffscreenCanvas(1, 1).getContext('2d')!;
		context.drawImage(video, video.videoWidth / 2, video.videoHeight * 0.8, 1, 1, 0, 0, 1, 1);
		return [...context.getImageData(0, 0, 1, 1).data.subarray(0, 3)];
	});
}

async function enableRemote(page: Page, value: boolean): Promise<void> {
	await page.evaluate((value) => {
		for (const track of (globalThis as unknown as Globals).peer.remote.values()) track.enabled = value;
	}, value);
}

async function noneOf(page: Page, type: string): Promise<void> {
	await eventually(async () => ((await objects(page))[type] ? null : true), PATIENCE, `no ${type} to be left`);
}

function objects(page: Page): Promise<Record<string, number>> {
	return page.evaluate(() => (globalThis as unknown as Globals).dump());
}

test.run();
