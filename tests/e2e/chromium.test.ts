/** The shim in Node against Chromium's own RTCPeerConnection, with no server between them. */
import 'aiortc-shim/global';
import path from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../demo/job/until.ts';
import { listenTo } from '../../demo/verify/listen.ts';
import { watch } from '../../demo/verify/watch.ts';
import { launchChromium, pictureCodeOf, toneOf } from './browser.ts';
import { eventually } from './eventually.ts';
import { Peer } from './peer/Peer.ts';
import type { PageGlobals } from './peer/page.ts';

const PATIENCE = 15_000;
const FILE_PATIENCE = 60_000;
const SIZES = [0, 1, 1_000, 70_000, 200_000];
const NODE = { code: 7, tone: 660 };
const PAGE = { code: 5, tone: 440 };

let browser: Browser;
let script: string;

test.before(async () => {
	const entry = path.join(import.meta.dirname, 'peer', 'page.ts');
	const { outputFiles } = await build({ entryPoints: [entry], bundle: true, write: false, format: 'iife' });
	script = outputFiles[0]!.text;
	browser = await launchChromium();
});

test.after(() => browser.close());

for (const offerer of ['Node', 'Chromium'] as const) {
	for (const codec of ['video/VP8', 'video/H264']) {
		for (const trickle of [true, false]) {
			const how = trickle ? 'trickling candidates' : 'candidates in the descriptions';
			test(`${offerer} offers sound, ${codec} and a channel, ${how}: all flow both ways`, () => {
				return call({ offerer, codec, trickle });
			});
		}
	}
}

test('renegotiation from either side adds and removes pictures, and the channel goes on', async () => {
	const page = await openPage();
	const local = new Peer({ onCandidate: (candidate) => toPage(page, candidate) });
	const cameras = await Promise.all(
		[NODE.code, 9].map((code) =>
			navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240, frameRate: 30, code } }),
		),
	);
	const [first, second] = cameras.map((stream) => stream.getVideoTracks()[0]!);
	try {
		await page.exposeFunction('onCandidate', (candidate: RTCIceCandidateInit | null) => local.addCandidate(candidate));
		await page.evaluate(() => (globalThis as unknown as PageGlobals).createPeer({ trickle: true }));
		local.openChannel();
		await negotiate('Node', local, page);
		await messagesFlow(local, page);

		local.add(first!);
		await negotiate('Node', local, page);
		await chromiumShows(page, NODE.code);
		await page.evaluate((mine) => (globalThis as unknown as PageGlobals).addMedia(mine), PAGE);
		await negotiate('Chromium', local, page);
		await nodeSees(local, 'video/VP8');

		for (const sender of local.connection.getSenders()) local.connection.removeTrack(sender);
		await negotiate('Node', local, page);
		await page.waitForFunction(() => (globalThis as unknown as PageGlobals).peer.remote.get('video')!.muted);
		await page.evaluate(() => {
			const { connection } = (globalThis as unknown as PageGlobals).peer;
			for (const sender of connection.getSenders()) connection.removeTrack(sender);
		});
		await negotiate('Chromium', local, page);
		const tracks = [...local.remote.values()];
		await until(() => tracks.every(({ muted }) => muted) || undefined, PATIENCE, 'both to be muted');

		local.add(second!);
		await negotiate('Node', local, page);
		await chromiumShows(page, 9);
		await page.evaluate(() => {
			for (const transceiver of (globalThis as unknown as PageGlobals).peer.connection.getTransceivers())
				transceiver.stop();
		});
		await negotiate('Chromium', local, page);
		assert.equal(local.connection.getTransceivers(), []);
		await until(() => tracks.every(({ readyState }) => readyState === 'ended') || undefined, PATIENCE, 'both to end');
		await messagesFlow(local, page);
	} finally {
		for (const stream of cameras) for (const track of stream.getTracks()) track.stop();
		local.close();
		await page.close();
	}
});

test('a file of 8 MiB and words about it go each way at once, piece by piece with the digest that they were sent with', async () => {
	const page = await openPage();
	const local = new Peer({ onCandidate: (candidate) => toPage(page, candidate) });
	try {
		await page.exposeFunction('onCandidate', (candidate: RTCIceCandidateInit | null) => local.addCandidate(candidate));
		await page.evaluate(() => (globalThis as unknown as PageGlobals).createPeer({ trickle: true }));
		local.openChannel();
		await negotiate('Node', local, page);
		await messagesFlow(local, page);
		local.received.length = 0;
		await page.evaluate(() => (globalThis as unknown as PageGlobals).peer.received.splice(0));
		const [pieces, size] = [512, 16 * 1024];
		const [fromNode, fromPage] = await Promise.all([
			local.sendFile(pieces, size),
			page.evaluate(([a, b]) => (globalThis as unknown as PageGlobals).peer.sendFile(a!, b!), [pieces, size]),
		]);
		assert.is(fromNode.length, 576);
		await until(() => local.received.length === fromPage.length || undefined, FILE_PATIENCE, "Chromium's file");
		assert.equal(local.received, fromPage, "Chromium's file, as it was sent");
		const arrived = await page.waitForFunction(
			(count) => {
				const { received } = (globalThis as unknown as PageGlobals).peer;
				return received.length === count && received;
			},
			fromNode.length,
			{ timeout: FILE_PATIENCE },
		);
		assert.equal(await arrived.jsonValue(), fromNode, "Node's file, as it was sent");
	} finally {
		local.close();
		await page.close();
	}
});

test("Chromium sees of Node's close() what it sees of another Chromium's, and Node of Chromium's", async () => {
	const [page, other] = await Promise.all([openPage(), openPage()]);
	const [local, witness] = [new Peer({}), new Peer({})];
	try {
		const expected = await endOfCall(other, page);
		assert.equal(expected.slice(0, 3), ['closing', 'error', 'close']);
		assert.equal(await endOfCall(local, page), expected);
		// The specification announces an abrupt end as closed, without the `closing` that libwebrtc fires before it.
		assert.equal(await endOfCall(page, witness), expected.slice(1));
	} finally {
		for (const peer of [local, witness]) peer.close();
		await Promise.all([page.close(), other.close()]);
	}
});

/** Calls, closes one side, and gives what the other saw of it. */
async function endOfCall(closer: Page | Peer, witness: Page | Peer): Promise<string[]> {
	for (const side of [closer, witness]) {
		if (side instanceof Peer) continue;
		await side.evaluate(() => (globalThis as unknown as PageGlobals).createPeer({ trickle: false }));
	}
	await ask(closer, 'openChannel');
	await ask(closer, 'accept', await ask(witness, 'answer', await ask(closer, 'offer')));
	await Promise.all([ask(closer, 'say', [10]), ask(witness, 'say', [10])]);
	await ask(closer, 'close');
	return ask(witness, 'ended');
}

/** Has a peer do something, here or in its page. */
async function ask<M extends 'openChannel' | 'offer' | 'answer' | 'accept' | 'say' | 'ended' | 'close'>(
	side: Page | Peer,
	method: M,
	argument?: Parameters<Peer[M]>[0],
): Promise<Awaited<ReturnType<Peer[M]>>> {
	type Result = Awaited<ReturnType<Peer[M]>>;
	if (side instanceof Peer) return (await (side[method] as (given: unknown) => unknown).call(side, argument)) as Result;
	const result = await side.evaluate(
		([method, argument]) => {
			const { peer } = globalThis as unknown as PageGlobals;
			return (peer[method] as (given: unknown) => unknown).call(peer, argument);
		},
		[method, argument] as const,
	);
	return result as Result;
}

async function negotiate(offerer: 'Node' | 'Chromium', local: Peer, page: Page): Promise<void> {
	if (offerer === 'Node') {
		const offer = await local.offer();
		await local.accept(await page.evaluate((sdp) => (globalThis as unknown as PageGlobals).peer.answer(sdp), offer));
		return;
	}
	const answer = await local.answer(await page.evaluate(() => (globalThis as unknown as PageGlobals).peer.offer()));
	await page.evaluate((sdp) => (globalThis as unknown as PageGlobals).peer.accept(sdp), answer);
}

async function call({ offerer, codec, trickle }: { offerer: 'Node' | 'Chromium'; codec: string; trickle: boolean }) {
	const page = await openPage();
	const local = new Peer(trickle ? { onCandidate: (candidate) => toPage(page, candidate) } : {});
	const media = await navigator.mediaDevices.getUserMedia({
		audio: { frequency: NODE.tone },
		video: { width: 320, height: 240, frameRate: 30, code: NODE.code },
	});
	try {
		await page.exposeFunction('onCandidate', (candidate: RTCIceCandidateInit | null) => local.addCandidate(candidate));
		await page.evaluate((options) => (globalThis as unknown as PageGlobals).createPeer(options), { trickle });
		if (offerer === 'Node') await nodeOffers(local, page, media, codec);
		else await chromiumOffers(local, page, media, codec);
		await compare(local, page, codec);
	} finally {
		for (const track of media.getTracks()) track.stop();
		local.close();
		await page.close();
	}
}

async function nodeOffers(local: Peer, page: Page, media: MediaStream, codec: string): Promise<void> {
	local.add(media.getVideoTracks()[0]!, codec);
	local.add(media.getAudioTracks()[0]!);
	local.openChannel();
	const offer = await local.offer();
	await page.evaluate((mine) => (globalThis as unknown as PageGlobals).addMedia(mine), PAGE);
	await local.accept(await page.evaluate((sdp) => (globalThis as unknown as PageGlobals).peer.answer(sdp), offer));
}

async function chromiumOffers(local: Peer, page: Page, media: MediaStream, codec: string): Promise<void> {
	const offer = await page.evaluate(
		(mine) => {
			const { addMedia, peer } = globalThis as unknown as PageGlobals;
			addMedia(mine);
			peer.openChannel();
			return peer.offer();
		},
		{ ...PAGE, codec },
	);
	for (const track of media.getTracks()) local.add(track);
	const answer = await local.answer(offer);
	await page.evaluate((sdp) => (globalThis as unknown as PageGlobals).peer.accept(sdp), answer);
}

async function compare(local: Peer, page: Page, codec: string): Promise<void> {
	await messagesFlow(local, page);
	await nodeSees(local, codec);
	await chromiumShows(page, NODE.code);
	const tone = await eventually(() => toneOf(page, 'video'), PATIENCE, 'a tone of Node in Chromium');
	assert.ok(Math.abs(tone - NODE.tone) < 7, `Chromium heard ${tone} Hz`);
}

async function messagesFlow(local: Peer, page: Page): Promise<void> {
	await until(() => local.connection.connectionState === 'connected' || undefined, PATIENCE, 'the connection');
	local.received.length = 0;
	await page.evaluate(() => (globalThis as unknown as PageGlobals).peer.received.splice(0));
	const fromNode = await local.say(SIZES);
	const fromPage = await page.evaluate((sizes) => (globalThis as unknown as PageGlobals).peer.say(sizes), SIZES);
	await until(() => local.received.length === fromPage.length || undefined, PATIENCE, 'the messages');
	assert.equal(local.received, fromPage, 'what Chromium sent is what Node received');
	const arrived = await page.waitForFunction(
		(count) => {
			const { received } = (globalThis as unknown as PageGlobals).peer;
			return received.length === count && received;
		},
		fromNode.length,
		{ timeout: PATIENCE },
	);
	assert.equal(await arrived.jsonValue(), fromNode, 'what Node sent is what Chromium received');
}

async function nodeSees(local: Peer, codec: string): Promise<void> {
	const seen = await watch(local.remote.get('video')!, { code: PAGE.code, frames: 30 });
	assert.ok(seen.right >= 28, `Node read Chromium's code in ${seen.right} of ${seen.frames} frames`);
	assert.ok(seen.moving >= 20, `Chromium's picture moved in ${seen.moving} of ${seen.frames} frames`);
	const heard = await listenTo(local.remote.get('audio')!, { frequency: PAGE.tone, seconds: 1 });
	assert.ok(Math.abs(heard.frequency - PAGE.tone) < 5, `Node heard ${heard.frequency} Hz`);
	const transceiver = local.connection.getTransceivers().find(({ receiver }) => receiver.track.kind === 'video')!;
	assert.is(transceiver.sender.getParameters().codecs[0]!.mimeType, codec);
}

/** A picture with that code, that moves. */
async function chromiumShows(page: Page, expected: number): Promise<void> {
	await page.evaluate(() => (globalThis as unknown as PageGlobals).play());
	const shown = async () => {
		const found = await pictureCodeOf(page, 'video');
		return found?.code === expected ? found : null;
	};
	const first = await eventually(shown, PATIENCE, `Node's picture ${expected} in Chromium`);
	const later = async () => {
		const found = await shown();
		return found && found.counter !== first.counter ? found : null;
	};
	await eventually(later, PATIENCE, 'a picture that moves');
}

async function openPage(): Promise<Page> {
	const page = await browser.newPage();
	// A localhost page is a secure context, which digests need.
	await page.route('http://localhost/', (route) => {
		return route.fulfill({ contentType: 'text/html', body: '<!doctype html><video autoplay></video>' });
	});
	await page.goto('http://localhost/');
	await page.addScriptTag({ content: script });
	return page;
}

function toPage(page: Page, candidate: RTCIceCandidateInit | null): void {
	const add = (init: RTCIceCandidateInit | null) => (globalThis as unknown as PageGlobals).peer.addCandidate(init);
	// The page may be closing: then nobody needs the candidate.
	page.evaluate(add, candidate).catch(() => {});
}

test.run();
