/** simple-peer, unmodified, over the shim: with itself in Node, and with itself in Chromium. */
import 'aiortc-shim/global';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../demo/job/until.ts';
import { NodeSide, nothingIsLeft, streamOf } from './apps/NodeSide.ts';
import { PageSide } from './apps/PageSide.ts';
import type { PageGlobals } from './apps/page.ts';
import { converse, hangUp, type Media, PATIENCE } from './apps/Side.ts';
import { SimplePeerCall, type SimplePeerClass, type SimplePeerOptions } from './apps/SimplePeerCall.ts';
import { launchChromium } from './browser.ts';
import { hears, sees, stopTracks } from './contract/media.ts';

const require = createRequire(import.meta.url);
const SimplePeer = require('simple-peer') as SimplePeerClass;
const SCRIPT = path.join(path.dirname(require.resolve('simple-peer')), 'simplepeer.min.js');
const ALICE: Media = { code: 11, tone: 500 };
const BOB: Media = { code: 12, tone: 700 };

type Ends = [NodeSide<SimplePeerCall>, NodeSide<SimplePeerCall>];

let browser: Browser;

test.before(async () => {
	browser = await launchChromium();
});

test.after.each(stopTracks);
test.after(() => browser.close());

for (const trickle of [true, false]) {
	const how = trickle ? 'trickling candidates' : 'candidates in the descriptions';
	test(`two simple-peers in Node call each other, ${how}, and both end when one does`, async () => {
		const [alice, bob] = await pair({ trickle });
		await converse(alice, bob);
		for (const { call } of [alice, bob]) {
			const { remoteAddress, remotePort } = call.peer;
			assert.ok(remoteAddress && remotePort! > 0, `it read ${remoteAddress}:${remotePort} from the statistics`);
		}
		await hangUp(bob, alice);
		await nothingIsLeft();
	});
}

test('the side that did not begin adds a stream, replaces its picture and takes it away', async () => {
	const [alice, bob] = await pair({}, false);
	await Promise.all([alice.call.connected, bob.call.connected]);
	const stream = await streamOf(BOB);
	bob.call.peer.addStream(stream);
	await alice.perceives(BOB);
	const [before] = stream.getVideoTracks();
	const [now] = (await streamOf({ code: 13, tone: 900 })).getVideoTracks();
	bob.call.peer.replaceTrack(before!, now!, stream);
	await sees(alice.call.remote.get('video')!, 13);
	await hears(alice.call.remote.get('audio')!, BOB.tone);
	bob.call.peer.removeStream(stream);
	const tracks = [...alice.call.remote.values()];
	await until(() => tracks.every(({ muted }) => muted) || undefined, PATIENCE, 'both tracks to be muted');
	const said = await alice.say([20]);
	assert.equal(await bob.received(said.length), said);
	await hangUp(alice, bob);
	await nothingIsLeft();
});

for (const initiator of ['Node', 'Chromium'] as const) {
	test(`simple-peer in Node and in Chromium: ${initiator} begins, everything flows, and the other ends it`, async () => {
		const side = await PageSide.open(browser, SCRIPT, BOB);
		const { page } = side;
		let begun = (): void => {};
		const there = new Promise<void>((resolve) => {
			begun = resolve;
		});
		// The page may be closing: then nobody needs the signal.
		const toPage = (data: object) => void there.then(() => page.evaluate(signal, data)).catch(() => {});
		const options = { initiator: initiator === 'Node', stream: await streamOf(ALICE) };
		const local = new SimplePeerCall(SimplePeer, options, toPage);
		const here = new NodeSide(local, ALICE);
		try {
			await page.exposeFunction('onSignal', (data: object) => local.peer.signal(data));
			await page.evaluate(
				({ sends, begins }) => (globalThis as unknown as PageGlobals).beginSimplePeer(sends, begins),
				{ sends: BOB, begins: initiator === 'Chromium' },
			);
			begun();
			await converse(here, side);
			await (initiator === 'Node' ? hangUp(side, here) : hangUp(here, side));
		} finally {
			local.close();
			await page.close();
		}
		await nothingIsLeft();
	});
}

function signal(data: object): void {
	((globalThis as unknown as PageGlobals).call as SimplePeerCall).peer.signal(data);
}

async function pair(options: SimplePeerOptions, withMedia = true): Promise<Ends> {
	const [forAlice, forBob] = withMedia ? [await streamOf(ALICE), await streamOf(BOB)] : [];
	const alice: SimplePeerCall = new SimplePeerCall(
		SimplePeer,
		{ ...options, stream: forAlice, initiator: true },
		(data) => bob.peer.signal(data),
	);
	const bob = new SimplePeerCall(SimplePeer, { ...options, stream: forBob }, (data) => alice.peer.signal(data));
	return [new NodeSide(alice, ALICE), new NodeSide(bob, BOB)];
}

test.run();
