/** `npm start` for people: a browser joins the room, sees and hears who is there, talks, sends files; natively, then through the bridge. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
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
const PATIENCE = 30_000;
const BOTS = ['Film bot', 'Test bot'];

let url: string;
let browser: Browser;
/** The person whose page is looked at. */
let page: Page;
/** Another one, natively in the room, whose browser finds no camera. */
let ada: Page;
let demo: ChildProcess;
let ended: Promise<number | null>;
/** What no test may leave in a page: errors that nobody caught. */
const uncaught: string[] = [];

test.before(async () => {
	browser = await launchChromium();
	demo = spawn(process.execPath, COMMAND, { cwd: ROOT, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
	ended = new Promise((resolve) => demo.once('close', resolve));
	url = await new Promise<string>((resolve, reject) => {
		createInterface({ input: demo.stdout! }).on('line', (line) => {
			const found = /http:\/\/\S+/.exec(line);
			if (found) resolve(found[0]);
		});
		void ended.then((code) => reject(new Error(`npm start ended with ${code}`)));
	});
	page = await open();
});

test.after(async () => {
	await browser.close();
	try {
		process.kill(-demo.pid!, 'SIGKILL');
	} catch {
		// It ended as it should.
	}
});

test('a person joins by keyboard and sees both bots: pictures that move and carry their codes', async () => {
	await page.getByRole('textbox', { name: 'Your name' }).fill('You');
	await page.keyboard.press('Tab');
	await page.keyboard.press('Enter');
	await connected(page);
	await seesBots();
});

test('and hears their tones', () => hearsBots());

test('is greeted, and what is said is confirmed and answered by both', async () => {
	await page.getByText('Hello You, I am a Node program').nth(1).waitFor({ timeout: PATIENCE });
	await talks('Grüße aus dem Browser');
});

test('a file that is picked reaches every bot, and its digest is the one that they say', () => sendsFile('native.bin'));

test('the figures are of what is sent and received', async () => {
	for (const name of ['#bitrate .receive', '#bitrate .send']) await shows(`${name} .value`, /^[\d.]+ [kM]bit\/s$/);
	await shows('#round-trip .value', /^(< 1|[\d.]+) ms$/);
	const coloured = () =>
		page.$$eval('#figures canvas', (canvases) => canvases.map(colours).every((count) => count > 0));
	await page.evaluate(`globalThis.colours = ${colours}`);
	await eventually(async () => (await coloured()) || null, PATIENCE, 'lines in both charts');
});

test('another person without a camera sends a drawn picture, which is seen', async () => {
	ada = await open('/', () => {
		navigator.mediaDevices.getUserMedia = async () => {
			throw new DOMException('Requested device not found', 'NotFoundError');
		};
	});
	await ada.getByRole('textbox', { name: 'Your name' }).fill('Ada');
	await ada.getByRole('button', { name: 'Join', exact: true }).click();
	await connected(ada);
	for (const name of ['Camera', 'Microphone']) await ada.getByRole('button', { name }).click();
	await ada.getByText('You send a drawn picture, as there is no camera').waitFor({ timeout: PATIENCE });
	await ada.getByRole('button', { name: 'Camera', pressed: true }).waitFor();
	await seesAndHearsAda();
});

test('and the person is seen by her', () => isSeenByAda());

test('her file arrives whole and can be saved', () => savesFileOfAda());

test('sound that the browser holds back until somebody clicks can be turned on, and the picture does not wait', async () => {
	const held = await open('/', () => {
		sessionStorage.setItem('coming', 'Zoe');
		const { play } = HTMLMediaElement.prototype;
		let clicked = false;
		addEventListener('click', () => (clicked = true), { capture: true });
		HTMLMediaElement.prototype.play = async function () {
			if (!this.muted && !clicked) throw new DOMException('play() before a click', 'NotAllowedError');
			return play.call(this);
		};
	});
	const muted = () => held.$$eval('[data-peer="Test bot"] video', ([video]) => (video as HTMLVideoElement).muted);
	await held.getByRole('button', { name: 'Turn the sound on' }).waitFor({ timeout: PATIENCE });
	await held.locator('[data-peer="Test bot"][data-playing]').waitFor({ timeout: PATIENCE });
	await eventually(async () => (await muted()) || null, PATIENCE, 'a muted tile');
	await held.getByRole('button', { name: 'Turn the sound on' }).click();
	assert.is(await muted(), false);
	assert.is(await held.getByRole('button', { name: 'Turn the sound on' }).isVisible(), false);
	await held.close();
});

test('the switch leads through the bridge and into the room again, under the same name', async () => {
	await page.getByRole('link', { name: 'Through the bridge' }).click();
	await connected(page);
	assert.is(await page.evaluate(() => /\[native code\]/.test(String(RTCPeerConnection))), false);
	await page.getByRole('link', { name: 'Through the bridge' }).and(page.locator('[aria-current=page]')).waitFor();
	await ada.locator('[data-peer="You"]').waitFor({ timeout: PATIENCE });
});

test('through the bridge, the bots and the other person are seen and heard as they are natively', async () => {
	await seesBots();
	await hearsBots();
	await seesAndHearsAda();
});

test('through the bridge, the person is seen by her, too', () => isSeenByAda());

test('through the bridge, what is said is confirmed and answered by both', () => talks('Grüße durch die Brücke'));

test('through the bridge, a file reaches every bot, and one of another person arrives', async () => {
	await sendsFile('bridged.bin');
	await savesFileOfAda();
});

test('back on the native way the pictures are there again, and nothing was thrown in any page', async () => {
	await page.getByRole('link', { name: 'Native' }).click();
	await connected(page);
	assert.is(await page.evaluate(() => /\[native code\]/.test(String(RTCPeerConnection))), true);
	await seesBots();
	assert.equal(uncaught, []);
});

test('Ctrl-C ends all of it, and the page says so', async () => {
	// A terminal sends it to every process of the group.
	process.kill(-demo.pid!, 'SIGINT');
	assert.is(await ended, 0);
	await page.getByRole('alertdialog', { name: 'The room is lost' }).waitFor({ timeout: PATIENCE });
	await page.getByRole('button', { name: 'Join again' }).click();
	await page.getByText('The room’s server does not answer.').waitFor({ timeout: PATIENCE });
});

async function open(where = '/', prepare: () => void = () => {}): Promise<Page> {
	const opened = await browser.newPage();
	opened.on('pageerror', (error) => uncaught.push(`${error.stack}`));
	await opened.addInitScript(prepare);
	await opened.goto(url + where);
	return opened;
}

async function connected(who: Page): Promise<void> {
	await who.getByRole('status').getByText('Connected').waitFor({ timeout: PATIENCE });
	await who.getByRole('textbox', { name: 'Message' }).and(who.locator(':enabled')).waitFor({ timeout: PATIENCE });
}

async function seesBots(): Promise<void> {
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
}

async function hearsBots(): Promise<void> {
	for (const [name, frequency] of Object.entries({ 'Film bot': 660, 'Test bot': 440 })) {
		const heard = await eventually(() => toneOf(page, videoOf(name)), PATIENCE, `a tone of ${name}`);
		assert.ok(Math.abs(heard - frequency) < frequency * 0.01, `${name}: ${heard} Hz`);
	}
}

async function seesAndHearsAda(): Promise<void> {
	await sees(page, 'Ada');
	const heard = await eventually(() => toneOf(page, videoOf('Ada')), PATIENCE, 'a tone of Ada');
	assert.ok(Math.abs(heard - 330) < 5, `${heard} Hz`);
}

/** She sees the camera of this page once it is turned on, and no more when it is off. */
async function isSeenByAda(): Promise<void> {
	await page.getByRole('button', { name: 'Camera' }).click();
	await page.getByText('You send your camera').last().waitFor({ timeout: PATIENCE });
	await sees(ada, 'You');
	await sees(page, 'You');
	await page.getByRole('button', { name: 'Camera', pressed: true }).click();
	await ada.locator('[data-peer="You"]:not([data-playing])').waitFor({ timeout: PATIENCE });
}

/** Somebody's picture is there, is not of one colour, and moves. */
async function sees(who: Page, name: string): Promise<void> {
	const look = () =>
		who.$eval(videoOf(name), (element) => {
			const { videoWidth, videoHeight } = element as HTMLVideoElement;
			if (videoWidth === 0) return null;
			const context = new OffscreenCanvas(videoWidth, videoHeight).getContext('2d')!;
			context.drawImage(element as HTMLVideoElement, 0, 0);
			const { data } = context.getImageData(0, 0, videoWidth, videoHeight);
			if (data.every((value, at) => value === data[at % 4])) return null;
			return data.reduce((sum, value) => (sum * 31 + value) | 0, 0);
		});
	await who.locator(videoOf(name)).waitFor({ timeout: PATIENCE });
	const first = await eventually(look, PATIENCE, `a picture of ${name}`);
	const other = async () => {
		const found = await look();
		return found === first ? null : found;
	};
	await eventually(other, PATIENCE, `another picture of ${name}`);
}

async function talks(text: string): Promise<void> {
	await listenedTo();
	await page.getByRole('textbox', { name: 'Message' }).fill(text);
	await page.keyboard.press('Enter');
	for (const name of BOTS) {
		const answers = page.locator('.said', { hasText: `You said: ${text}` });
		await answers.filter({ hasText: name }).waitFor({ timeout: PATIENCE });
	}
	const receipts = page.locator('.said.own', { hasText: text }).locator('.receipts');
	for (const name of BOTS) await receipts.getByText(name).waitFor({ timeout: PATIENCE });
}

async function sendsFile(name: string): Promise<void> {
	await listenedTo();
	await page.locator('#files').setInputFiles({ name, mimeType: 'text/html', buffer: randomBytes(1_000_001) });
	const card = page.locator('.file', { hasText: name });
	for (const bot of BOTS) await card.getByText(`✓ ${bot}`).waitFor({ timeout: PATIENCE });
	assert.is(await card.getAttribute('data-outcome'), 'good');
}

/** Both bots hear what this page says from now on. */
async function listenedTo(): Promise<void> {
	for (const name of BOTS) await page.getByText(`${name} hears you`).first().waitFor({ timeout: PATIENCE });
}

/** She drops it on her page; it is saved from ours. */
async function savesFileOfAda(): Promise<void> {
	const content = randomBytes(300_000);
	const name = `<b>${createHash('sha1').update(content).digest('hex')}.html`;
	const taken = await ada.evaluateHandle(
		([text, name]) => {
			const transfer = new DataTransfer();
			transfer.items.add(new File([Uint8Array.from(atob(text!), (sign) => sign.charCodeAt(0))], name!));
			return transfer;
		},
		[content.toString('base64'), name],
	);
	await ada.dispatchEvent('body', 'dragenter', { dataTransfer: taken });
	await ada.getByText('Drop files to send them to everyone').waitFor();
	await ada.dispatchEvent('body', 'drop', { dataTransfer: taken });
	const card = page.locator('.file', { hasText: name });
	await card.getByText('Whole: its digest is the one that its sender said.').waitFor({ timeout: PATIENCE });
	const saving = page.waitForEvent('download');
	await card.getByRole('link', { name: 'Save' }).click();
	const saved = await readFile(await (await saving).path());
	assert.ok(saved.equals(content), 'what was saved is what was dropped');
	await ada.locator('.file', { hasText: name }).getByText('✓ You').waitFor({ timeout: PATIENCE });
}

async function shows(selector: string, pattern: RegExp): Promise<void> {
	const text = async () => {
		const found = await page.locator(selector).textContent();
		return found && pattern.test(found) ? found : null;
	};
	await eventually(text, PATIENCE, `${selector} to be like ${pattern}`);
}

/** How many pixels of a canvas have a strong colour, which axes and grid have not. */
function colours(canvas: Element): number {
	const { width, height } = canvas as HTMLCanvasElement;
	const { data } = (canvas as HTMLCanvasElement).getContext('2d')!.getImageData(0, 0, width, height);
	let count = 0;
	for (let at = 0; at < data.length; at += 4) {
		const [red, green, blue, alpha] = data.subarray(at, at + 4) as unknown as [number, number, number, number];
		if (alpha > 200 && Math.max(red, green, blue) - Math.min(red, green, blue) > 80) count++;
	}
	return count;
}

function videoOf(name: string): string {
	return `[data-peer="${name}"] video`;
}

test.run();
