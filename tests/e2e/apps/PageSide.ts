import path from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import type { Receipt } from '../../../demo/receipts.ts';
import { pictureCodeOf, toneOf } from '../browser.ts';
import { eventually } from '../eventually.ts';
import type { PageGlobals } from './page.ts';
import { type Media, PATIENCE, type Side } from './Side.ts';

/** An end in Chromium, over its own RTCPeerConnection. */
export class PageSide implements Side {
	readonly page: Page;
	readonly sends: Media;

	private constructor(page: Page, sends: Media) {
		this.page = page;
		this.sends = sends;
	}

	/**
	 * @param library the path of the script that the package ships for pages
	 * @param server whose origin the page is of: a page that no server has sent may not talk to one of this machine
	 */
	static async open(browser: Browser, library: string, sends: Media, server?: { port: number }): Promise<PageSide> {
		const page = await browser.newPage();
		// A localhost page is a secure context, which digests need.
		if (!server)
			await page.route('http://localhost/', (route) => route.fulfill({ contentType: 'text/html', body: '' }));
		await page.goto(server ? `http://127.0.0.1:${server.port}/` : 'http://localhost/');
		await page.setContent('<!doctype html><video autoplay></video>');
		await page.addScriptTag({ path: library });
		const entry = path.join(import.meta.dirname, 'page.ts');
		const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, format: 'iife' });
		await page.addScriptTag({ content: outputFiles[0]!.text });
		return new PageSide(page, sends);
	}

	async perceives({ code, tone }: Media): Promise<void> {
		const { page } = this;
		await page.waitForFunction(() => (globalThis as unknown as PageGlobals).play(), null, { timeout: PATIENCE });
		const shown = async () => {
			const found = await pictureCodeOf(page, 'video');
			return found?.code === code ? found : null;
		};
		const first = await eventually(shown, PATIENCE, `the picture ${code} in the page`);
		const later = async () => {
			const found = await shown();
			return found && found.counter !== first.counter ? found : null;
		};
		await eventually(later, PATIENCE, 'a picture that moves');
		const heard = async () => {
			const frequency = await toneOf(page, 'video');
			return frequency && Math.abs(frequency - tone) < tone * 0.02 ? frequency : null;
		};
		await eventually(heard, PATIENCE, `a tone of ${tone} Hz in the page`);
	}

	say(sizes: readonly number[]): Promise<Receipt[]> {
		return this.page.evaluate((each) => (globalThis as unknown as PageGlobals).call.say(each), sizes);
	}

	async received(count: number): Promise<Receipt[]> {
		const arrived = await this.page.waitForFunction(
			(wanted) => {
				const { received } = (globalThis as unknown as PageGlobals).call;
				return received.length >= wanted && received;
			},
			count,
			{ timeout: PATIENCE },
		);
		return (await arrived.jsonValue()) as Receipt[];
	}

	close(): Promise<void> {
		return this.page.evaluate(() => (globalThis as unknown as PageGlobals).call.close());
	}

	async closed(): Promise<void> {
		const isOver = () => (globalThis as unknown as PageGlobals).isOver;
		await this.page.waitForFunction(isOver, null, { timeout: PATIENCE });
	}

	errors(): Promise<string[]> {
		return this.page.evaluate(() => (globalThis as unknown as PageGlobals).call.errors);
	}
}
