/** What the page says and shows while it connects, while the SFU or its server is away, and when they are gone. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bridge, startBridge } from '../../bridge/server.ts';
import { buildPage, type Page as Files } from '../../demo/page/build.ts';
import { Demo } from '../../demo/server.ts';
import { LIMITS } from '../../demo/sfu/limits.ts';
import { ensureMediasoupWorker } from '../../scripts/mediasoup-worker.ts';
import { launchChromium } from './browser.ts';
import { contrastFaults, layoutShifts, watchLayout } from './look.ts';

/** To look at. */
const SCREENSHOTS = path.join(import.meta.dirname, 'screenshots');
const PATIENCE = 60_000;

let browser: Browser;
let bridge: Bridge;
let files: Files;
let workerBin: string;
let demo: Demo;
const pages: Page[] = [];

test.before(async () => {
	await mkdir(SCREENSHOTS, { recursive: true });
	[browser, bridge, files, workerBin] = await Promise.all([
		launchChromium(),
		startBridge({ capabilities: [], spares: 0 }),
		buildPage(),
		ensureMediasoupWorker(),
	]);
});

test.before.each(async () => {
	demo = await serve();
});

test.after.each(async () => {
	for (const page of pages.splice(0)) await page.close();
	goOn();
	await demo.close();
});

test.after(async () => {
	await browser.close();
	await bridge.close();
});

test('while the SFU does not answer, the page says that it is joining, and goes on when it does', async () => {
	const page = await open();
	await looksRight(page, 'lobby');
	process.kill(demo.sfu.pid, 'SIGSTOP');
	await join(page);
	await says(page, 'Joining…');
	assert.is(await page.getByRole('button', { name: 'Joining…' }).isDisabled(), true);
	await looksRight(page, 'joining');
	process.kill(demo.sfu.pid, 'SIGCONT');
	await says(page, 'Connected');
	await looksRight(page, 'room');
});

test('while media is being connected, the room is there and says so', async () => {
	const page = await open();
	// What is asked of the SFU is answered; the answer to the first check of ICE is not.
	await page.exposeFunction('stopSfu', () => process.kill(demo.sfu.pid, 'SIGSTOP'));
	await page.addInitScript(() => {
		const { setRemoteDescription } = RTCPeerConnection.prototype;
		RTCPeerConnection.prototype.setRemoteDescription = async function (
			this: RTCPeerConnection,
			description: RTCSessionDescriptionInit,
		) {
			await (globalThis as unknown as { stopSfu(): Promise<void> }).stopSfu();
			return Reflect.apply(setRemoteDescription, this, [description]);
		};
	});
	await page.reload();
	await join(page);
	await says(page, 'Connecting…');
	await page.getByRole('alert').getByText('Connecting to the SFU…').waitFor();
	assert.is(await page.getByRole('textbox', { name: 'Message' }).isDisabled(), true);
	await looksRight(page, 'connecting');
	process.kill(demo.sfu.pid, 'SIGCONT');
});

for (const way of ['native', 'bridge']) {
	test(`an interruption is said and mended, and what is said then arrives: ${way}`, async () => {
		const page = await open(way === 'bridge' ? '/bridge' : '/');
		const other = await open();
		for (const each of [page, other]) {
			await join(each);
			await says(each, 'Connected');
		}
		await page.getByText('hears you').waitFor({ timeout: PATIENCE });
		await page.evaluate(watchLayout);
		process.kill(demo.sfu.pid, 'SIGSTOP');
		await says(page, 'Interrupted');
		await page.getByRole('alert').getByText('It may come back by itself.').waitFor();
		if (way === 'native') await looksRight(page, 'interrupted');
		await says(page, 'Restoring…');
		if (way === 'native') await looksRight(page, 'restoring');
		process.kill(demo.sfu.pid, 'SIGCONT');
		await says(page, 'Connected');
		await says(other, 'Connected');
		await page.getByRole('textbox', { name: 'Message' }).fill('there again');
		await page.keyboard.press('Enter');
		await other.getByText('there again').waitFor({ timeout: PATIENCE });
		if (way === 'bridge') assert.ok((await page.evaluate(layoutShifts)) < 0.02, 'nothing jumped');
	});
}

test('when the SFU dies, the page says so, and that joining again cannot help', async () => {
	const page = await open();
	await join(page);
	await says(page, 'Connected');
	process.kill(demo.sfu.pid, 'SIGKILL');
	await says(page, 'Connection lost');
	const lost = page.getByRole('alertdialog', { name: 'The room is lost' });
	await lost.getByText('The SFU has closed the connection.').waitFor();
	await looksRight(page, 'lost');
	assert.is(await page.evaluate(() => document.activeElement?.id), 'rejoin', 'the button can be pressed at once');
	await page.keyboard.press('Enter');
	await lost.getByText('The SFU has ended. Start the demo again.').waitFor({ timeout: PATIENCE });
});

test('when the server goes, the page says so, and joins again once it is back', async () => {
	const page = await open();
	await join(page);
	await says(page, 'Connected');
	const { port } = new URL(demo.url);
	await demo.close();
	await says(page, 'Connection lost');
	await page.getByText('The room’s server').waitFor();
	await page.getByRole('button', { name: 'Join again' }).click();
	await page.getByText('The room’s server does not answer.').waitFor({ timeout: PATIENCE });
	demo = await serve(Number(port));
	await page.getByRole('button', { name: 'Join again' }).click();
	await says(page, 'Connected');
	assert.is(await page.getByRole('alertdialog').count(), 0);
	assert.is(await page.locator('.tile').count(), 1);
});

test('a room that is full, or whose server is away, is said where one joins', async () => {
	const page = await open();
	for (let i = 0; i < LIMITS.peersInRoom; i++) {
		const other = await open();
		await join(other);
		await says(other, 'Connected');
	}
	await join(page);
	await page.getByRole('alert').getByText('The room is full.').waitFor({ timeout: PATIENCE });
	await looksRight(page, 'refused');
	await demo.close();
	await join(page);
	await page.getByRole('alert').getByText('does not answer').waitFor({ timeout: PATIENCE });
});

test('a browser that cannot show what comes says so once, and talk and files go on', async () => {
	const [page, other] = [await open(), await open()];
	await page.addInitScript(() => {
		Object.defineProperty(HTMLMediaElement.prototype, 'srcObject', {
			set() {
				throw new TypeError('The provided value is not of type MediaStream.');
			},
		});
	});
	await page.reload();
	for (const each of [page, other]) {
		await join(each);
		await says(each, 'Connected');
	}
	await other.getByRole('button', { name: 'Camera' }).click();
	await other.getByText('hears you').waitFor({ timeout: PATIENCE });
	await other.locator('#files').setInputFiles({ name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('abc') });
	await page.locator('.file').getByText('Whole').waitFor({ timeout: PATIENCE });
	assert.is(await page.getByText('Pictures and sound are not to be had').count(), 1);
	await looksRight(page, 'blind');
});

test('a bridge that is not there is said where one joins', async () => {
	const page = await open('/bridge', { ...bridge, token: 'wrong' });
	await join(page);
	await page.getByText('token is wrong').first().waitFor({ timeout: PATIENCE });
	assert.is(await page.getByRole('status').textContent(), 'Not in the room');
});

/** A test that failed half way may have left the SFU standing still. */
function goOn(): void {
	try {
		process.kill(demo.sfu.pid, 'SIGCONT');
	} catch {
		// It is gone.
	}
}

function serve(port = 0): Promise<Demo> {
	return Demo.serve({ workerBin, port, page: files, bridge: async () => through });
}

/** The bridge that the page at /bridge is told of. */
let through: { url: string; token: string };

async function open(where = '/', told: { url: string; token: string } = bridge): Promise<Page> {
	through = told;
	const page = await browser.newPage();
	pages.push(page);
	await page.goto(demo.url + where);
	return page;
}

async function join(page: Page): Promise<void> {
	await page.getByRole('button', { name: 'Join', exact: true }).click();
}

async function says(page: Page, text: string): Promise<void> {
	await page.getByRole('status').getByText(text).waitFor({ timeout: PATIENCE });
}

/** In every size and colour scheme all text can be read and nothing has to be scrolled sideways; leaves pictures of it. */
async function looksRight(page: Page, state: string): Promise<void> {
	for (const [width, height] of [
		[1280, 800],
		[360, 780],
	] as const) {
		await page.setViewportSize({ width, height });
		for (const colorScheme of ['light', 'dark'] as const) {
			await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
			const name = `${state}-${width}-${colorScheme}`;
			await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), fullPage: width < 600 });
			assert.equal(await page.evaluate(contrastFaults), [], `${name}: contrast`);
			assert.is(
				await page.evaluate(() => document.documentElement.scrollWidth),
				width,
				`${name}: wider than the window`,
			);
		}
	}
	await page.setViewportSize({ width: 1280, height: 800 });
}

test.run();
