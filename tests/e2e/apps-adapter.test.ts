/** webrtc-adapter, unmodified, over the shim: in Node where `window` is the global object, and in a window of jsdom. */
import 'aiortc-shim/global';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { installGlobals, shim } from 'aiortc-shim';
import { JSDOM } from 'jsdom';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { NodeSide, nothingIsLeft, streamOf } from './apps/NodeSide.ts';
import type { PeerJsClass } from './apps/PeerJsCall.ts';
import { PeerServer } from './apps/PeerServer.ts';
import { PlainCall, type Realm } from './apps/PlainCall.ts';
import { callEachOther } from './apps/peerJsCalls.ts';
import { converse, hangUp, type Media } from './apps/Side.ts';
import { stopTracks } from './contract/media.ts';

interface Adapter {
	browserDetails: { browser: string; version: number };
}

const ALICE: Media = { code: 31, tone: 600 };
const BOB: Media = { code: 32, tone: 800 };
const require = createRequire(import.meta.url);

/** By it the adapter, and with it PeerJS, knows a page. */
Object.assign(globalThis, { window: globalThis });
const untouched = RTCPeerConnection.prototype.createDataChannel;
const { default: adapter } = require('webrtc-adapter') as { default: Adapter };

test.after.each(stopTracks);

test('the adapter takes the shim for Chromium, wraps it, and calls go on through what it wraps', async () => {
	assert.is(adapter.browserDetails.browser, 'chrome');
	assert.is.not(RTCPeerConnection.prototype.createDataChannel, untouched);
	await callBetween(globalThis);
});

test('PeerJS, which brings the adapter with it, calls in such a window', async () => {
	const server = await PeerServer.start();
	try {
		const { Peer, util } = require('peerjs') as { Peer: PeerJsClass; util: { supports: object } };
		assert.equal(util.supports, {
			browser: true,
			webRTC: true,
			audioVideo: true,
			data: true,
			binaryBlob: true,
			reliable: true,
		});
		await callEachOther(Peer, server.port, 'binary');
	} finally {
		await server.stop();
	}
});

test('in a window of jsdom, the script that the package ships for pages does the same', async () => {
	const { window } = new JSDOM('', { url: 'http://localhost/', runScripts: 'outside-only' });
	const uninstall = installGlobals(window, shim);
	const script = path.join(path.dirname(require.resolve('webrtc-adapter')), '..', 'out', 'adapter.js');
	window.eval(readFileSync(script, 'utf8'));
	assert.is((window as unknown as { adapter: Adapter }).adapter.browserDetails.browser, 'chrome');
	await callBetween(window);
	uninstall();
	window.close();
});

async function callBetween(realm: Realm): Promise<void> {
	const [forAlice, forBob] = [await streamOf(ALICE), await streamOf(BOB)];
	let last = Promise.resolve();
	// One after another, as a network has them.
	const carry = (to: () => PlainCall) => (message: object) => {
		last = last.then(() => to().receive(message));
	};
	const alice: PlainCall = new PlainCall(
		realm,
		forAlice,
		carry(() => bob),
	);
	const bob: PlainCall = new PlainCall(
		realm,
		forBob,
		carry(() => alice),
	);
	await alice.dial();
	const [here, there] = [new NodeSide(alice, ALICE), new NodeSide(bob, BOB)];
	await converse(here, there);
	await last;
	await hangUp(here, there);
	await nothingIsLeft();
}

test.run();
