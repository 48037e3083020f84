/** What shares a transport, and what has its own towards a peer that bundles less than we offer. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RTCDataChannel, RTCPeerConnection } from '../../shim/api/index.ts';
import { parse } from '../../shim/jsep/index.ts';
import { connected, gathered, makePair, next, opened, type Pair, shim, until } from './pcPair.ts';

const size = { width: 160, height: 120 };
const CREDENTIALS = ['iceUfrag', 'icePwd', 'fingerprints'] as const;

/** An offer as who knows no BUNDLE reads it: what has no transport of its own is closed. */
const unbundled = (sdp: string): string => sdp.replace(/a=group:BUNDLE.*\r\n/, '').replaceAll('a=bundle-only\r\n', '');
const parted = (sdp: string): string => sdp.replace(/a=group:BUNDLE.*/, 'a=group:BUNDLE 0 1');

/** Sound, picture and a channel, of the offerer's. */
async function addAll({ offerer }: Pair): Promise<RTCDataChannel> {
	const stream = await shim.mediaDevices.getUserMedia({ audio: true, video: size });
	for (const track of stream.getTracks()) offerer.addTrack(track, stream);
	return offerer.createDataChannel('x');
}

/** One exchange, whose offer the answerer reads edited. */
async function exchange({ offerer, answerer }: Pair, edit: (sdp: string) => string, trickle = true): Promise<void> {
	await offerer.setLocalDescription();
	if (!trickle) await gathered(offerer);
	await answerer.setRemoteDescription({ type: 'offer', sdp: edit(offerer.localDescription!.sdp) });
	await answerer.setLocalDescription();
	if (!trickle) await gathered(answerer);
	await offerer.setRemoteDescription(answerer.localDescription!);
}

/** The transports of the senders and of the association. */
function transports(connection: RTCPeerConnection): unknown[] {
	return [...connection.getSenders(), connection.sctp!].map(({ transport }) => transport);
}

async function packets(connection: RTCPeerConnection, kind: string): Promise<number> {
	const stats = [...(await connection.getStats()).values()];
	return Number(stats.find((each) => each.type === 'inbound-rtp' && each.kind === kind)?.packetsReceived ?? 0);
}

/** Waits until sound, picture and a message of each side flow from now on. */
async function assertFlow({ offerer, answerer }: Pair, ours: RTCDataChannel, theirs: RTCDataChannel): Promise<void> {
	await connected(offerer, answerer);
	for (const kind of ['audio', 'video']) {
		const before = await packets(answerer, kind);
		await until(`${kind} flows`, async () => (await packets(answerer, kind)) > before + 5);
	}
	await opened(ours);
	for (const [from, to] of [
		[ours, theirs],
		[theirs, ours],
	] as const) {
		const message = next<MessageEvent>(to, 'message');
		from.send('hello');
		assert.is((await message).data, 'hello');
	}
}

function stop({ offerer, close }: Pair): void {
	for (const { track } of offerer.getSenders()) track?.stop();
	close();
}

for (const bundlePolicy of ['balanced', 'max-compat', 'max-bundle'] as const) {
	test(`${bundlePolicy}: all sections of an offer say one transport’s credentials, and all flows over one`, async () => {
		const pair = makePair({ configuration: { bundlePolicy } });
		const ours = await addAll(pair);
		const incoming = next<RTCDataChannelEvent>(pair.answerer, 'datachannel');
		await exchange(pair, (sdp) => sdp);
		const { sections } = parse(pair.offerer.localDescription!.sdp);
		for (const name of CREDENTIALS) {
			assert.is(new Set(sections.map((section) => JSON.stringify(section[name]))).size, 1, name);
		}
		await assertFlow(pair, ours, (await incoming).channel as never);
		for (const connection of [pair.offerer, pair.answerer]) assert.is(new Set(transports(connection)).size, 1);
		stop(pair);
	});
}

for (const bundlePolicy of ['balanced', 'max-compat'] as const) {
	for (const trickle of [true, false]) {
		const how = trickle ? 'candidates that are trickled' : 'candidates in the descriptions';
		test(`${bundlePolicy}: to a peer that knows no BUNDLE each section flows over its own transport, by ${how}`, async () => {
			const pair = makePair({ configuration: { bundlePolicy }, trickle });
			const ours = await addAll(pair);
			const incoming = next<RTCDataChannelEvent>(pair.answerer, 'datachannel');
			await exchange(pair, unbundled, trickle);
			assert.equal(parse(pair.offerer.remoteDescription!.sdp).bundle, []);
			await assertFlow(pair, ours, (await incoming).channel as never);
			for (const connection of [pair.offerer, pair.answerer]) assert.is(new Set(transports(connection)).size, 3);
			stop(pair);
		});
	}

	test(`${bundlePolicy}: to a peer that bundles a part the rest flows over its own transport`, async () => {
		const pair = makePair({ configuration: { bundlePolicy } });
		const ours = await addAll(pair);
		const incoming = next<RTCDataChannelEvent>(pair.answerer, 'datachannel');
		await exchange(pair, parted);
		await assertFlow(pair, ours, (await incoming).channel as never);
		for (const connection of [pair.offerer, pair.answerer]) {
			const [audio, video, data] = transports(connection);
			assert.is(audio, video);
			assert.is.not(audio, data);
		}
		stop(pair);
	});
}

test('what a peer did not bundle at first it may bundle later, also with an ICE restart', async () => {
	for (const iceRestart of [false, true]) {
		const pair = makePair();
		const ours = await addAll(pair);
		const incoming = next<RTCDataChannelEvent>(pair.answerer, 'datachannel');
		await exchange(pair, unbundled);
		const theirs = (await incoming).channel as unknown as RTCDataChannel;
		await assertFlow(pair, ours, theirs);
		const [first, second, third] = transports(pair.offerer) as RTCDtlsTransport[];
		if (iceRestart) pair.offerer.restartIce();
		await exchange(pair, (sdp) => sdp);
		assert.equal(transports(pair.offerer), [first, first, first]);
		await until('the others close', () => second!.state === 'closed' && third!.state === 'closed');
		await assertFlow(pair, ours, theirs);
		stop(pair);
	}
});

test('balanced: a second section of a kind is closed by a peer that knows no BUNDLE', async () => {
	const pair = makePair();
	const ours = await addAll(pair);
	const second = pair.offerer.addTransceiver('video');
	const incoming = next<RTCDataChannelEvent>(pair.answerer, 'datachannel');
	await exchange(pair, unbundled);
	assert.is(second.currentDirection, 'stopped');
	await assertFlow(pair, ours, (await incoming).channel as never);
	stop(pair);
});

test.run();
