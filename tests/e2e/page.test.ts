/** `npm start` for people: a browser joins the room natively, sees and hears the bots, and talks with them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { launchChromium, pictureCodeOf, toneOf } from './browser.ts';
import { eventually } from './eventually.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
/** As npm runs it. */
const COMMAND = [path.join('scripts', 'run.cjs'), path.join('demo', 'start.ts')];
const SCREENSHOTS = path.join(import.meta.dirname, 'screenshots');
const PATIENCE = 30_000;

let browser: Browser;
let page: Page;
let demo: ChildProcess;
let ended: Promise<number | null>;

test.before(async () => {
	browser = await launchChromium();
	demo = spawn(process.execPath, COMMAND, { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
	ended = new Promise((resolve) => demo.once('close', resolve));
	const url = await new Promise<string>((resolve, reject) => {
		createInterface({ input: demo.stdout! }).on('line', (line) => {
			const found = /http:\/\/\S+/.exec(line);
			if (found) resolve(found[0]);
		});
		void ended.then((code) => reject(new Error(`npm start ended with ${code}`)));
	});
	page = await browser.newPage();
	await page.goto(url);
	await page.getByRole('button', { name: 'Join the room' }).click();
});

test.after(async () => {
	await browser.close();
	try {
		process.kill(-demo.pid!, 'SIGKILL');
	} catch {
		// It ended as it should.
	}
});

test('a person joins and sees both bots: pictures that move and carry their codes', async () => {
	await page.getByText('In the room as You').waitFor({ timeout: PATIENCE });
	for (const [name, code] of Object.entries({ 'Film bot': 1515, 'Test bot': 2 })) {
		const video = videoOf(name);
		await page.locator(video).waitFor({ timeout: PATIENCE });
		const first = await eventually(() => pictureCodeOf(page, video), PATIENCE, `a picture of ${name}`);
		assert.is(first.code, code, name);
		const later = async () => {
			const found = await pictureCodeOf(page, video);
			return found?.counter === first.counter ? null : found;
		};
		assert.is((await eventually(later, PATIENCE, `another picture of ${name}`)).code, code, name);
	}
});

test('and hears their tones', async () => {
	for (const [name, frequency] of Object.entries({ 'Film bot': 660, 'Test bot': 440 })) {
		const heard = await eventually(() => toneOf(page, videoOf(name)), PATIENCE, `a tone of ${name}`);
		assert.ok(Math.abs(heard - frequency) < frequency * 0.01, `${name}: ${heard} Hz`);
	}
});

test('is greeted, and what is said is confirmed and answered by both', async () => {
	await page.getByText('Hello You, I am a Node program').nth(1).waitFor({ timeout: PATIENCE });
	await page.getByRole('textbox', { name: 'Message' }).fill('Grüße aus dem Browser');
	await page.keyboard.press('Enter');
	await page.getByText('You said: Grüße aus dem Browser').nth(1).waitFor({ timeout: PATIENCE });
	const receipts = page.locator('li', { hasText: 'Grüße aus dem Browser' }).first().locator('.receipts');
	const names = async () => ((await receipts.textContent()) ?? '').replace('✓ ', '').split(', ').sort();
	assert.equal(await names(), ['Film bot', 'Test bot']);
	await mkdir(SCREENSHOTS, { recursive: true });
	for (const colorScheme of ['light', 'dark'] as const) {
		await page.emulateMedia({ colorScheme });
		await page.screenshot({ path: path.join(SCREENSHOTS, `room-${colorScheme}.png`) });
	}
});

test('Ctrl-C ends all of it, and the page says so', async () => {
	// A terminal sends it to every process of the group.
	process.kill(-demo.pid!, 'SIGINT');
	assert.is(await ended, 0);
	await page.getByText('The room is lost').waitFor({ timeout: PATIENCE });
	await page.getByRole('button', { name: 'Join the room' }).waitFor();
});

function videoOf(name: string): string {
	return `[data-peer="${name}"] video`;
}

test.run();
