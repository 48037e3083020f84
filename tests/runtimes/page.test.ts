import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startBridge } from '../../bridge/server.ts';
import { launchChromium } from '../e2e/browser.ts';
import { EmptyFolder } from './EmptyFolder.ts';

const adapter = join(createRequire(import.meta.url).resolve('webrtc-adapter'), '../../out/adapter.js');
const folder = await EmptyFolder.create();
const bridge = await startBridge({ workers: 1, spares: 0 });
const browser = await launchChromium();
let html = '';
const server = createServer(({ url }, response) => {
	const script = { '/shim.js': folder.installed('aiortc-shim.global.js'), '/adapter.js': adapter }[url!];
	response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
	if (script) createReadStream(script).pipe(response);
	else response.end(`<!doctype html>${html}`);
}).listen(0, 'localhost');

test.after(async () => {
	server.close();
	await browser.close();
	await bridge.close();
	folder.remove();
});

/** What a page of the given HTML says, in a browser that has no WebRTC, or all of it. */
async function open(content: string, { native = false } = {}): Promise<Page> {
	html = content;
	const page = await browser.newPage();
	if (!native) await page.addInitScript(removeWebRtc);
	await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
	return page;
}

/** As in the engines that are built without it. */
function removeWebRtc(): void {
	for (const name of Object.getOwnPropertyNames(globalThis)) {
		if (/^(webkit)?(RTC|Media(Stream|Devices))/.test(name)) Reflect.deleteProperty(globalThis, name);
	}
	Reflect.deleteProperty(Navigator.prototype, 'mediaDevices');
}

/** Calls from one peer of the page to another: what was echoed, and the packets that a video receiver counted. */
async function call() {
	const alice = new RTCPeerConnection();
	const bob = new RTCPeerConnection();
	alice.onicecandidate = ({ candidate }) => void bob.addIceCandidate(candidate!);
	bob.onicecandidate = ({ candidate }) => void alice.addIceCandidate(candidate!);
	const channel = alice.createDataChannel('chat');
	bob.ondatachannel = ({ channel: far }) => {
		far.onmessage = ({ data }) => far.send(data);
	};
	const media = await navigator.mediaDevices.getUserMedia({ video: { width: 160, height: 120 } });
	const [track] = media.getTracks();
	alice.addTrack(track!, media);
	const arrived = new Promise<RTCTrackEvent>((resolve) => {
		bob.ontrack = resolve;
	});
	await alice.setLocalDescription(await alice.createOffer());
	await bob.setRemoteDescription(alice.localDescription!);
	await bob.setLocalDescription(await bob.createAnswer());
	await alice.setRemoteDescription(bob.localDescription!);
	const echoed = await new Promise((resolve) => {
		channel.onmessage = ({ data }) => resolve(data);
		channel.onopen = () => channel.send('from a page');
	});
	const { receiver, streams } = await arrived;
	let packets = 0;
	while (packets < 10) {
		await new Promise((resolve) => setTimeout(resolve, 50));
		for (const entry of (await receiver.getStats()).values()) {
			if (entry.type === 'inbound-rtp') packets = entry.packetsReceived;
		}
	}
	const result = { echoed, packets: packets >= 10, streams: streams.length, state: bob.connectionState };
	track!.stop();
	alice.close();
	bob.close();
	return result;
}

const CALLED = { echoed: 'from a page', packets: true, streams: 1, state: 'connected' };
const attributes = (url = bridge.url, token = bridge.token) => `data-url="${url}" data-token="${token}"`;

test('a page whose browser has no WebRTC calls through the bridge that its tag names', async () => {
	const page = await open(`<script src="/shim.js" ${attributes()}></script>`);
	assert.equal(await page.evaluate(call), CALLED);
	assert.is(bridge.sessions, 1);
	await page.close();
});

test('the bridge may be named by global variables, also after the script', async () => {
	const { url, token } = bridge;
	const variables = `globalThis.AIORTC_SHIM_URL = '${url}'; globalThis.AIORTC_SHIM_TOKEN = '${token}';`;
	const page = await open(`<script src="/shim.js"></script><script>${variables}</script>`);
	assert.equal(await page.evaluate(call), CALLED);
	await page.close();
});

test('a page that names no bridge is told how to', async () => {
	const page = await open('<script src="/shim.js"></script>');
	const message = page.evaluate(() => new RTCPeerConnection().createOffer().catch((error) => error.message));
	assert.match(await message, /data-url and data-token, or AIORTC_SHIM_URL/);
	await page.close();
});

test('a wrong token is said', async () => {
	const page = await open(`<script src="/shim.js" ${attributes(bridge.url, 'wrong')}></script>`);
	const message = page.evaluate(() => new RTCPeerConnection().createOffer().catch((error) => error.message));
	assert.match(await message, /token is wrong/);
	await page.close();
});

test("a browser's own WebRTC stays, unless the tag says to replace it", async () => {
	const isNative = () => /\[native code\]/.test(String(RTCPeerConnection));
	const kept = await open(`<script src="/shim.js" ${attributes()}></script>`, { native: true });
	assert.is(await kept.evaluate(isNative), true);
	await kept.close();
	const replaced = await open(`<script src="/shim.js" ${attributes()} data-force></script>`, { native: true });
	assert.is(await replaced.evaluate(isNative), false);
	// Its elements take its own streams only, and its devices' tracks can be sent.
	const kinds = await replaced.evaluate(() =>
		[MediaStream, MediaStreamTrack, navigator.mediaDevices.getUserMedia].map((each) => /native/.test(String(each))),
	);
	assert.equal(kinds, [true, true, true]);
	await replaced.close();
});

test('webrtc-adapter over the shim leaves it working', async () => {
	const page = await open(`<script src="/shim.js" ${attributes()}></script><script src="/adapter.js"></script>`);
	type Adapter = { adapter: { browserDetails: { browser: string } } };
	const detected = await page.evaluate(() => (globalThis as unknown as Adapter).adapter.browserDetails.browser);
	assert.is(detected, 'chrome');
	assert.equal(await page.evaluate(call), CALLED);
	await page.close();
});

test.run();
