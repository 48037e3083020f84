import { createHash } from 'node:crypto';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RTCDataChannel } from '../../shim/api/index.ts';
import { makeLossyPair, randomness, type Weather } from './lossyPair.ts';
import { next, opened, until } from './pcPair.ts';

type Sent = string | Uint8Array<ArrayBuffer>;

const COUNT = 10_000;

/** Mostly small, sometimes several packets; text, bytes, and nothing at all of either. */
function messages(count: number): Sent[] {
	const random = randomness(7);
	return Array.from({ length: count }, (_, index) => {
		const size = Math.floor(random() < 0.9 ? random() * 300 : random() * 8000);
		const filler = String.fromCharCode(33 + (index % 90));
		if (random() < 0.5) return size === 0 ? '' : `${index} ${filler.repeat(size)}`;
		return new Uint8Array(size).fill(index & 255);
	});
}

/** Sends in all the ways that there are, waiting only when a megabyte is ahead. */
async function sendAll(channel: RTCDataChannel, all: readonly Sent[]): Promise<void> {
	channel.bufferedAmountLowThreshold = 256 * 1024;
	for (const [index, message] of all.entries()) {
		if (channel.bufferedAmount > 1 << 20) await next(channel, 'bufferedamountlow', 60_000);
		if (typeof message === 'string') channel.send(message);
		else if (index % 3 === 0) channel.send(new Blob([message]));
		else if (index % 3 === 1) channel.send(message.buffer);
		else channel.send(new DataView(message.buffer));
	}
}

function digest(message: Sent | ArrayBuffer): string {
	const kind = typeof message === 'string' ? 'text' : 'bytes';
	const bytes = typeof message === 'string' ? message : new Uint8Array(message);
	return `${kind} ${createHash('sha1').update(bytes).digest('hex')}`;
}

const PATHS: [name: string, storm: Partial<Weather>][] = [
	['2 % loss and reordering', { loss: 0.02, late: 0.03 }],
	['packets of 16 KiB, 10 % loss and reordering', { loss: 0.1, late: 0.1, longest: 65_536 }],
];

for (const [name, storm] of PATHS) {
	test(`10,000 messages of all sizes and kinds arrive once and in order, with ${name}`, () => survive(storm));
}

async function survive(storm: Partial<Weather>): Promise<void> {
	let ours!: RTCDataChannel;
	let incoming!: Promise<RTCDataChannelEvent>;
	const pair = await makeLossyPair({ ...storm, loss: 0, late: 0, delay: 10 }, ({ offerer, answerer }) => {
		ours = offerer.createDataChannel('lossy');
		incoming = next<RTCDataChannelEvent>(answerer, 'datachannel');
	});
	const theirs = (await incoming).channel;
	await opened(ours);
	const seen: string[] = [];
	theirs.onmessage = ({ data }) => seen.push(digest(data));
	Object.assign(pair.weather, storm);

	const all = messages(COUNT);
	await sendAll(ours, all);
	await until('all arrived', () => seen.length >= COUNT, 100_000);
	Object.assign(pair.weather, { loss: 0, late: 0 });
	await until('nothing buffered', () => ours.bufferedAmount === 0);

	assert.is(seen.length, COUNT);
	const expected = all.map(digest);
	assert.is(
		seen.findIndex((each, index) => each !== expected[index]),
		-1,
	);
	assert.ok(pair.lost > 20 && pair.late > 20, `${pair.lost} lost, ${pair.late} late`);
	pair.close();
}

test('of messages that are not sent again some are missing, none comes twice, and none holds up the others', async () => {
	const channels: RTCDataChannel[] = [];
	const theirs = new Map<string, RTCDataChannel>();
	const kinds: Record<string, RTCDataChannelInit> = {
		'once, any order': { ordered: false, maxRetransmits: 0 },
		'once, in order': { maxRetransmits: 0 },
		'at once': { maxPacketLifeTime: 0 },
	};
	const pair = await makeLossyPair({ loss: 0, late: 0, delay: 5 }, ({ offerer, answerer }) => {
		for (const [label, init] of Object.entries(kinds)) channels.push(offerer.createDataChannel(label, init));
		answerer.ondatachannel = ({ channel }) => theirs.set(channel.label, channel as unknown as RTCDataChannel);
	});
	await Promise.all(channels.map(opened));
	await until('three channels', () => theirs.size === 3);
	const seen = new Map([...theirs].map(([label, channel]) => [label, collect(channel)]));
	pair.weather.loss = 0.2;
	for (let index = 0; index < 150; index += 1) {
		for (const channel of channels) channel.send(String(index));
		await new Promise((resolve) => setTimeout(resolve, 4));
	}
	pair.weather.loss = 0;
	for (const channel of channels) channel.send('last');
	for (const [label, got] of seen) {
		await until(`the last one, ${label}`, () => got.includes('last'));
		assert.ok(got.length > 60 && got.length < 151, `${label}: ${got.length}`);
		assert.is(new Set(got).size, got.length, label);
	}
	const ordered = seen.get('once, in order')!.slice(0, -1).map(Number);
	assert.equal(
		ordered,
		ordered.toSorted((a, b) => a - b),
	);
	pair.close();
});

function collect(channel: RTCDataChannel): string[] {
	const seen: string[] = [];
	channel.onmessage = ({ data }) => seen.push(data);
	return seen;
}

test.run();
