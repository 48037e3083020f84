import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RTCDataChannel } from '../../shim/api/index.ts';
import { failure, makeChannels, makePair, negotiate, next, opened, record, shim, until } from './pcPair.ts';

/** The channels that the peer opens, by their label. */
function incoming(connection: EventTarget): Map<string, RTCDataChannel> {
	const channels = new Map<string, RTCDataChannel>();
	connection.addEventListener('datachannel', (event) => {
		const { channel } = event as RTCDataChannelEvent;
		channels.set(channel.label, channel as unknown as RTCDataChannel);
	});
	return channels;
}

test('200 channels of one connection carry messages both ways, each its own, and close', async () => {
	const pair = makePair();
	const theirs = incoming(pair.answerer);
	const ours = Array.from({ length: 200 }, (_, index) => pair.offerer.createDataChannel(String(index)));
	const echoes = new Map<string, string[]>();
	for (const channel of ours) {
		const seen: string[] = [];
		echoes.set(channel.label, seen);
		channel.onmessage = ({ data }) => seen.push(data);
		channel.onopen = () => {
			for (let index = 0; index < 5; index += 1) channel.send(`${channel.label} ${index}`);
		};
	}
	pair.answerer.addEventListener('datachannel', ({ channel }) => {
		channel.onmessage = ({ data }) => channel.send(data);
	});
	await negotiate(pair);
	await until('every echo', () => [...echoes.values()].every((seen) => seen.length === 5), 30_000);
	for (const [label, seen] of echoes) {
		assert.equal(
			seen,
			Array.from({ length: 5 }, (_, index) => `${label} ${index}`),
		);
	}
	assert.is(new Set(ours.map(({ id }) => id)).size, 200);
	assert.ok(ours.every(({ id }) => id! % 2 === ours[0]!.id! % 2));
	const closed = [...ours, ...theirs.values()].map((channel) => next(channel, 'close', 30_000));
	for (const channel of ours) channel.close();
	await Promise.all(closed);
	pair.close();
});

test('labels and protocols have at most 65535 bytes of UTF-8, and arrive whole', async () => {
	const pair = makePair();
	const theirs = incoming(pair.answerer);
	const label = `${'ñ'.repeat(32_767)}.`;
	const protocol = 'p'.repeat(65_535);
	const ours = pair.offerer.createDataChannel(label, { protocol });
	for (const arguments_ of [[`${label}.`], ['', { protocol: `${protocol}.` }]] as const) {
		assert.is(await failure(() => pair.offerer.createDataChannel(arguments_[0], arguments_[1])), 'TypeError');
	}
	await negotiate(pair);
	await opened(ours);
	await until('the channel', () => theirs.size === 1);
	assert.is(theirs.get(label)?.protocol, protocol);
	pair.close();
});

test('Blobs keep their place among other messages, both as they are sent and as they are received', async () => {
	const { ours, theirs, close } = await makeChannels();
	theirs.binaryType = 'blob';
	const seen: (string | Blob)[] = [];
	theirs.onmessage = ({ data }) => seen.push(data);
	const sizes = [100_000, 1, 0, 5000, 60_000];
	for (const [index, size] of sizes.entries()) {
		ours.send(`before ${index}`);
		ours.send(new Blob([new Uint8Array(size).fill(index)]));
		ours.send(new Uint8Array([index]));
	}
	await until('all of them', () => seen.length === 15);
	for (const [index, size] of sizes.entries()) {
		const [text, blob, bytes] = seen.slice(index * 3, index * 3 + 3) as [string, Blob, Blob];
		assert.is(text, `before ${index}`);
		assert.is(blob.size, size);
		assert.ok(new Uint8Array(await blob.arrayBuffer()).every((byte) => byte === index));
		assert.equal(new Uint8Array(await bytes.arrayBuffer()), new Uint8Array([index]));
	}
	close();
});

test('a channel is not held up by what another has to send', async () => {
	const { ours, theirs, offerer, answerer, close } = await makeChannels();
	const channels = incoming(answerer);
	const quick = offerer.createDataChannel('quick');
	await opened(quick);
	await until('the second channel', () => channels.size === 1);
	let bulk = 0;
	theirs.onmessage = ({ data }) => {
		bulk += data.byteLength;
	};
	const total = 8 << 20;
	for (let sent = 0; sent < total; sent += 64 << 10) ours.send(new Uint8Array(64 << 10));
	const incomingQuick = next(channels.get('quick')!, 'message');
	quick.send('overtakes');
	await incomingQuick;
	assert.ok(bulk < total / 2, `${bulk} bytes were ahead of it`);
	await until('the bulk', () => bulk === total, 60_000);
	close();
});

test('events come in their order: open, messages, closing, close; and closing twice is closing once', async () => {
	const { ours, theirs, close } = await makeChannels();
	const events = record(theirs, 'message', 'closing', 'close', 'error');
	const own = record(ours, 'message', 'closing', 'close', 'error');
	ours.send('a');
	ours.send('');
	ours.close();
	ours.close();
	await Promise.all([next(ours, 'close'), next(theirs, 'close')]);
	theirs.close();
	assert.equal(events, ['message', 'message', 'closing', 'close']);
	assert.equal(own, ['close']);
	close();
});

test.after(() => shim.close());

test.run();
