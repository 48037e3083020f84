/** A page that a bridge does not know: what its program hears, what the bridge's log says, and that its advice helps. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type BridgeOptions, startBridge } from '../../bridge/server.ts';
import { PAGE_SCRIPT } from '../../scripts/page-script.ts';
import { launchChromium } from './browser.ts';

const { outputFiles } = await build({ ...PAGE_SCRIPT, write: false, outdir: '/' });
const browser = await launchChromium();
const server = createServer(({ url }, response) => {
	response.setHeader('content-type', url === '/shim.js' ? 'text/javascript' : 'text/html');
	response.end(url === '/shim.js' ? outputFiles[0]!.text : '<!doctype html>');
}).listen(0, '127.0.0.1');

test.after(async () => {
	server.close();
	await browser.close();
});

/** What a page of the Origin makes of a bridge: an offer or an error, and what its console and the bridge's log say. */
async function tryPage(options: BridgeOptions) {
	const log: string[] = [];
	const bridge = await startBridge({ workers: 1, spares: 0, log: ({ message }) => log.push(message), ...options });
	const page = await browser.newPage();
	const warnings: string[] = [];
	page.on('console', (message) => {
		if (message.type() === 'warning') warnings.push(message.text());
	});
	// A name of this machine that is none of the bridge's own.
	const origin = `http://app.localhost:${(server.address() as AddressInfo).port}`;
	await page.goto(origin);
	await page.addScriptTag({ content: `AIORTC_SHIM_URL = '${bridge.url}'; AIORTC_SHIM_TOKEN = '${bridge.token}';` });
	await page.evaluate(() => {
		const element = document.createElement('script');
		element.dataset.force = '';
		element.src = '/shim.js';
		document.head.append(element);
		return new Promise((resolve) => {
			element.onload = resolve;
		});
	});
	const result = await page.evaluate(async () => {
		const connection = new RTCPeerConnection();
		connection.createDataChannel('chat');
		return connection.createOffer().then(
			({ type }) => String(type),
			(error: Error) => `${error.name}: ${error.message}`,
		);
	});
	await page.close();
	await bridge.close();
	return { result, warnings, log, origin, url: bridge.url };
}

test('a page of a foreign Origin is told the likely cause, and the bridge’s log the option that lets it in', async () => {
	const { result, warnings, log, origin, url } = await tryPage({});
	const advice = `is one running there, and was it started with --origin ${origin}? Its log says what it refused`;
	const sentence = `no bridge could be reached at ${url}: ${advice}`;
	assert.is(result, `InvalidStateError: ${sentence}`);
	assert.equal(warnings, [`aiortc-shim: ${sentence}; trying for 5 s`]);
	const refusal = `refused with 403: Pages of ${origin} may not connect: start the bridge with --origin ${origin}`;
	assert.is(log[0], refusal);
	// The page knocks for 5 s.
	assert.match(log.slice(1).join(), /^and \d+ more of these: refused$/);
});

test('a page is let in by the option that it and the log name', async () => {
	const { result, log } = await tryPage({
		origins: [`http://app.localhost:${(server.address() as AddressInfo).port}`],
	});
	assert.is(result, 'offer');
	assert.equal(log, []);
});

test.run();
