/** What the shim in Node hears of Chromium when packets of sound are lost on the way. */
import 'aiortc-shim/global';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Browser, Page } from 'playwright-core';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../../demo/job/until.ts';
import { launchChromium } from './browser.ts';

const PATIENCE = 15_000;
const SECONDS = 10;
const SAMPLE_RATE = 48_000;
const PACKET_SECONDS = 0.02;

let browser: Browser;

test.before(async () => {
	browser = await launchChromium();
});

test.after(() => browser.close());

test('of the sound of Chromium a tenth is lost: it is repaired by in-band FEC or concealed, and none is missing', async () => {
	const page = await browser.newPage();
	const local = new RTCPeerConnection();
	const path = await LossyPath.open();
	try {
		const incoming = once(local, 'track') as Promise<[RTCTrackEvent]>;
		await connect(page, local, path);
		const [{ track }] = await incoming;
		const reader = new MediaStreamTrackProcessor({ track }).readable.getReader();
		for (let heard = 0; heard < 50; heard += 1) (await reader.read()).value!.close();

		// Chromium's encoder believes in loss when reports have told of it for a while.
		path.loss = 0.25;
		await listen(reader, 8);
		path.loss = 0.1;
		const before = await inbound(local);
		const { jumps, samples, seconds } = await listen(reader, SECONDS);
		const after = await inbound(local);

		assert.equal(jumps, []);
		const lost = after.packetsLost! - before.packetsLost!;
		const concealed = after.concealedSamples! - before.concealedSamples!;
		assert.ok(lost > 0.05 * 50 * SECONDS, `${lost} packets lost`);
		assert.ok(Math.abs(samples / SAMPLE_RATE - seconds) < 1, `${samples / SAMPLE_RATE} s of samples in ${seconds} s`);
		assert.ok(concealed > 0);
		const repaired = lost - concealed / SAMPLE_RATE / PACKET_SECONDS;
		assert.ok(repaired > 0.2 * lost, `${repaired} of ${lost} packets repaired`);
		await reader.cancel();
	} finally {
		local.close();
		path.close();
		await page.close();
	}
});

/** Offered by Chromium: a voice, or what an encoder takes for one. */
async function connect(page: Page, local: RTCPeerConnection, path: LossyPath): Promise<void> {
	const offer = await page.evaluate(async () => {
		const context = new AudioContext();
		const out = new MediaStreamAudioDestinationNode(context);
		const voice = new OscillatorNode(context, { type: 'sawtooth', frequency: 150 });
		const pitch = new OscillatorNode(context, { frequency: 0.7 });
		const syllables = new OscillatorNode(context, { frequency: 2.5 });
		const level = new GainNode(context, { gain: 0.2 });
		pitch.connect(new GainNode(context, { gain: 20 })).connect(voice.frequency);
		syllables.connect(new GainNode(context, { gain: 0.15 })).connect(level.gain);
		voice.connect(level).connect(out);
		for (const each of [voice, pitch, syllables]) each.start();
		const connection = new RTCPeerConnection();
		Object.assign(globalThis, { connection });
		connection.addTrack(out.stream.getAudioTracks()[0]!, out.stream);
		await connection.setLocalDescription();
		return connection.localDescription!.sdp;
	});
	// Without candidates: Chromium is known by where its checks come from, which is the path.
	await local.setRemoteDescription({ type: 'offer', sdp: offer });
	await local.setLocalDescription();
	while (local.iceGatheringState !== 'complete') await once(local, 'icegatheringstatechange');
	const answer = path.through(local.localDescription!.sdp);
	await page.evaluate((sdp) => {
		const { connection } = globalThis as unknown as { connection: RTCPeerConnection };
		return connection.setRemoteDescription({ type: 'answer', sdp });
	}, answer);
	await until(() => local.connectionState === 'connected' || undefined, PATIENCE, 'a connection');
}

async function listen(reader: ReadableStreamDefaultReader<AudioData | VideoFrame>, seconds: number) {
	const from = performance.now();
	const jumps: number[] = [];
	let samples = 0;
	let expected: number | null = null;
	while (performance.now() - from < seconds * 1000) {
		const { value } = await reader.read();
		const { timestamp, duration, numberOfFrames } = value as AudioData;
		if (expected !== null && Math.abs(timestamp - expected) > 1) jumps.push(timestamp - expected);
		expected = timestamp + duration;
		samples += numberOfFrames;
		value!.close();
	}
	return { jumps, samples, seconds: (performance.now() - from) / 1000 };
}

async function inbound(connection: RTCPeerConnection): Promise<Record<string, number>> {
	const entry = [...(await connection.getStats()).values()].find(({ type }) => type === 'inbound-rtp');
	return entry as unknown as Record<string, number>;
}

/** Two sockets between Chromium and us; of the media that comes from Chromium it loses a share. */
class LossyPath {
	loss = 0;
	readonly #near: Socket;
	readonly #far: Socket;
	#us: { address: string; port: number } | null = null;
	#chromium: RemoteInfo | null = null;

	static async open(): Promise<LossyPath> {
		const sockets = [createSocket('udp4'), createSocket('udp4')] as const;
		for (const socket of sockets) {
			socket.bind(0);
			await once(socket, 'listening');
		}
		return new LossyPath(...sockets);
	}

	private constructor(near: Socket, far: Socket) {
		this.#near = near;
		this.#far = far;
		far.on('message', (datagram, from) => {
			this.#chromium = from;
			if (this.#us && !(isMedia(datagram) && Math.random() < this.loss)) {
				near.send(datagram, this.#us.port, this.#us.address);
			}
		});
		near.on('message', (datagram) => {
			if (this.#chromium) far.send(datagram, this.#chromium.port, this.#chromium.address);
		});
	}

	/** Our description with this path for its only candidate. */
	through(sdp: string): string {
		const [, before, address, port, after] = /^(a=candidate:\S+ 1 udp \d+) ([\d.]+) (\d+) (typ host.*)$/im.exec(sdp)!;
		this.#us = { address: address!, port: Number(port) };
		const line = `${before} ${address} ${this.#far.address().port} ${after}`;
		const rest = sdp.split('\r\n').filter((each) => !each.startsWith('a=candidate:'));
		rest.splice(
			rest.findIndex((each) => each.startsWith('a=end-of-candidates')),
			0,
			line,
		);
		return rest.join('\r\n');
	}

	close(): void {
		this.#near.close();
		this.#far.close();
	}
}

/** RTP and no RTCP. @see https://www.rfc-editor.org/rfc/rfc7983#section-7 and https://www.rfc-editor.org/rfc/rfc5761#section-4 */
function isMedia(datagram: Buffer): boolean {
	const [first, second] = [datagram[0]!, datagram[1]! & 0x7f];
	return first >= 128 && first <= 191 && (second < 64 || second > 95);
}

test.run();
