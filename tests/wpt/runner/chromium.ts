import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Bridge } from '../../../bridge/server.ts';
import { ensureChromium } from '../../../scripts/system-packages.ts';
import { collect } from './collect.ts';
import type { Environment } from './results.ts';

const ARGS = [
	'--no-sandbox',
	'--disable-gpu',
	'--no-first-run',
	'--disable-background-networking',
	'--disable-component-update',
	'--use-fake-device-for-media-stream',
	'--use-fake-ui-for-media-stream',
	'--autoplay-policy=no-user-gesture-required',
	'--js-flags=--expose-gc',
];
const CLOSE_MS = 5_000;
const root = join(import.meta.dirname, '..', '..', '..');

/** Pages of a headless Chromium whose own WebRTC is taken away and replaced by the shim, a context each. */
export async function chromiumEnvironment(origin: string, bridge: Bridge): Promise<Environment> {
	const executablePath = await ensureChromium();
	const content = await injected(bridge);
	let launched: Promise<Browser> | null = null;
	const browser = () => {
		launched ??= chromium.launch({ executablePath, headless: true, args: ARGS });
		return launched;
	};
	const restart = async () => {
		const before = launched;
		launched = null;
		await closesInTime((await before)!);
	};

	return {
		version: async () => `Chromium ${(await browser()).version()}`,

		async run(url, timeoutMs, patience) {
			const context = await (await browser()).newContext({ permissions: ['camera', 'microphone'] });
			const outcome = await collect(timeoutMs, async (collector) => {
				await context.addInitScript({ content: `globalThis.__wptPatience = ${patience};\n${content}` });
				const page = await context.newPage();
				await context.exposeBinding('__wptReport', (_, message: string) => collector.receive(message));
				await context.exposeBinding('__wptDriver', (_, command: keyof typeof drivers, data) =>
					drivers[command](page, data),
				);
				page.on('crash', () => collector.end('CRASH', 'page crashed'));
				context.on('close', () => collector.end('CRASH', 'browser closed'));
				await page.goto(origin + url, { waitUntil: 'commit' });
			});
			if (!(await closesInTime(context))) await restart();
			return outcome;
		},

		async close() {
			if (launched) await restart();
		},
	};
}

/** What every window evaluates first. */
async function injected({ url, token }: Bridge): Promise<string> {
	const { outputFiles } = await build({
		entryPoints: [join(root, 'entries', 'page.ts')],
		bundle: true,
		write: false,
		keepNames: true,
		format: 'iife',
		target: 'es2022',
		logLevel: 'warning',
	});
	const strip = readFileSync(join(import.meta.dirname, '..', 'page', 'strip-native.js'), 'utf8');
	const globals = JSON.stringify({ AIORTC_SHIM_URL: url, AIORTC_SHIM_TOKEN: token });
	return [strip, `Object.assign(globalThis, ${globals});`, outputFiles[0]!.text].join('\n');
}

/** What testdriver asks of a browser. */
const drivers = {
	click: (page: Page, { x, y }: { x: number; y: number }) => page.mouse.click(x, y),

	async set_permission(page: Page, { descriptor, state }: { descriptor: { name: string }; state: string }) {
		const session = await page.context().newCDPSession(page);
		const { targetInfo } = await session.send('Target.getTargetInfo');
		await session.send('Browser.setPermission', {
			permission: descriptor,
			setting: state as 'granted' | 'denied' | 'prompt',
			browserContextId: targetInfo.browserContextId,
		});
		await session.detach();
	},
};

function closesInTime(closable: Browser | BrowserContext): Promise<boolean> {
	const closed = closable.close().then(
		() => true,
		() => true,
	);
	return Promise.race([closed, new Promise<boolean>((resolve) => setTimeout(resolve, CLOSE_MS, false))]);
}
