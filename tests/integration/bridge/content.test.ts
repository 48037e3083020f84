import { createHash, randomBytes, randomInt } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startBridge } from '../../../bridge/server.ts';
import { createShim } from '../../../entries/node.ts';
import { makePair, negotiate, next, opened, shim, until } from '../pcPair.ts';
import { TcpProxy } from './TcpProxy.ts';

const MESSAGES = 600;

/** Of all sizes that are cut, gathered or kept in different ways. */
function randomMessage(): Buffer {
	const scale = [10, 5000, 20_000, 100_000, 262_144][randomInt(5)]!;
	return randomBytes(randomInt(scale));
}

const digest = (data: Uint8Array) => createHash('sha256').update(data).digest('base64');

/** Sends both ways at once and compares all that comes; `onmessage` is told of each. */
async function exchange(Connection: typeof shim.RTCPeerConnection, onmessage: () => void): Promise<void> {
	const pair = makePair({ Connection });
	const ours = pair.offerer.createDataChannel('content');
	const incoming = next<RTCDataChannelEvent>(pair.answerer, 'datachannel');
	await negotiate(pair);
	const theirs = (await incoming).channel as unknown as typeof ours;
	await opened(ours);
	const directions = [
		[ours, theirs],
		[theirs, ours],
	].map(([from, to]) => {
		const came: string[] = [];
		to!.addEventListener('message', ({ data }) => {
			came.push(digest(new Uint8Array(data as ArrayBuffer)));
			onmessage();
		});
		return { from: from!, sent: [] as string[], came };
	});
	for (let i = 0; i < MESSAGES; i++) {
		for (const { from, sent } of directions) {
			const message = randomMessage();
			sent.push(digest(message));
			from.send(message);
			message.fill(0);
			if (from.bufferedAmount > 1 << 20) await until('room', () => from.bufferedAmount < 1 << 19, 30_000);
		}
	}
	for (const { sent, came } of directions) {
		await until(`${sent.length} messages`, () => came.length === sent.length, 60_000);
		assert.equal(came, sent);
	}
	pair.close();
}

test('messages of all sizes arrive as they were sent, both ways at once', async () => {
	await exchange(shim.RTCPeerConnection, () => {});
});

test('they do when the socket is cut again and again', async () => {
	const bridge = await startBridge({ spares: 0, workers: 1 });
	const proxy = await TcpProxy.start(bridge.port);
	const cut = createShim({ url: proxy.url, token: bridge.token });
	let count = 0;
	await exchange(cut.RTCPeerConnection, () => {
		if (++count % 100 === 0) proxy.cut();
	});
	assert.ok(proxy.connections > 3, `${proxy.connections} connections`);
	await cut.close();
	proxy.close();
	await bridge.close();
});

test.run();
