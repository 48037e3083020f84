/** PeerJS, unmodified, with its own server: in Node as it is, and with itself in Chromium. */
import 'aiortc-shim/global';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { test } from 'uvu';
import { nothingIsLeft } from './apps/NodeSide.ts';
import { PageSide } from './apps/PageSide.ts';
import type { PeerJsCall, PeerJsClass } from './apps/PeerJsCall.ts';
import { PeerServer } from './apps/PeerServer.ts';
import type { PageGlobals } from './apps/page.ts';
import { ALICE, BOB, callEachOther, register } from './apps/peerJsCalls.ts';
import { converse, hangUp } from './apps/Side.ts';
import { launchChromium } from './browser.ts';
import { stopTracks } from './contract/media.ts';

const require = createRequire(import.meta.url);
const { Peer } = require('peerjs') as { Peer: PeerJsClass };
const SCRIPT = path.join(path.dirname(require.resolve('peerjs')), 'peerjs.min.js');

let browser: Browser;
let server: PeerServer;

test.before(async () => {
	server = await PeerServer.start();
	browser = await launchChromium();
});

test.after.each(stopTracks);

test.after(async () => {
	await browser.close();
	await server.stop();
});

for (const serialization of ['binary', 'raw'] as const) {
	test(`two PeerJS in Node call each other by their server, messages ${serialization}, and both end when one does`, () => {
		return callEachOther(Peer, server.port, serialization);
	});
}

for (const caller of ['Node', 'Chromium'] as const) {
	test(`PeerJS in Node and in Chromium: ${caller} calls, everything flows, and the other hangs up`, async () => {
		const page = await PageSide.open(browser, SCRIPT, BOB, server);
		const here = await register(Peer, 'alice', server.port, ALICE);
		try {
			await page.page.evaluate(
				({ sends, port }) => (globalThis as unknown as PageGlobals).registerPeerJs(sends, 'bob', port),
				{ sends: BOB, port: server.port },
			);
			if (caller === 'Node') here.call.dial('bob', 'binary');
			else await page.page.evaluate(dialAlice);
			await converse(here, page);
			await (caller === 'Node' ? hangUp(page, here) : hangUp(here, page));
		} finally {
			here.call.destroy();
			await page.page.close();
		}
		await nothingIsLeft();
	});
}

function dialAlice(): void {
	((globalThis as unknown as PageGlobals).call as PeerJsCall).dial('alice', 'binary');
}

test.run();
