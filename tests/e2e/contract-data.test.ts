/** mediasoup-client's data producers and consumers over the shim. */
import 'aiortc-shim/global';
import { createHash, randomBytes } from 'node:crypto';
import type { types } from 'mediasoup-client';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { attributes, sections } from './contract/connections.ts';
import { hears, PATIENCE, picture, sees, stopTracks, tone } from './contract/media.ts';
import { Sfu } from './contract/Sfu.ts';
import { Station } from './contract/Station.ts';
import { eventually } from './eventually.ts';

let sfu: Sfu;
let anna: Station;
let bert: Station;

test.before(async () => {
	sfu = await Sfu.start();
});

test.before.each(async () => {
	[anna, bert] = await Promise.all([Station.open(sfu.router), Station.open(sfu.router)]);
});

test.after.each(() => {
	anna.close();
	bert.close();
	stopTracks();
});

test.after(() => sfu.close());

test('strings, ArrayBuffers, views and Blobs arrive as what they are, in order', async () => {
	const { producer, received } = await channel({ label: 'chat', protocol: 'talk' });
	const bytes = randomBytes(50_000);
	producer.send('hello, wörld 👋');
	producer.send('');
	producer.send(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
	producer.send(bytes.subarray(100, 200));
	producer.send(new Blob([bytes.subarray(0, 1_000), 'tail']));
	producer.send(new ArrayBuffer(0));
	producer.send('last');
	const messages = await take(received, 7);
	const parts = [bytes, bytes.subarray(100, 200), Buffer.concat([bytes.subarray(0, 1_000), Buffer.from('tail')])];
	assert.equal(messages.map(describe), ['hello, wörld 👋', '', ...parts.map(digest), digest(Buffer.alloc(0)), 'last']);
});

test('a consumer that asks for Blobs gets Blobs', async () => {
	const { producer, consumer, received } = await channel();
	consumer.binaryType = 'blob';
	producer.send(new Uint8Array([1, 2, 3]));
	const [blob] = await take(received, 1);
	assert.instance(blob, Blob);
	assert.equal([...new Uint8Array(await (blob as Blob).arrayBuffer())], [1, 2, 3]);
});

test('label, protocol, stream id and the kind of delivery are what both ends were told', async () => {
	const { producer, consumer } = await channel({ label: 'first', protocol: 'one' });
	const loose = await channel({ label: 'second', ordered: false, maxRetransmits: 3 });
	assert.equal([producer.label, producer.protocol, producer.sctpStreamParameters.streamId], ['first', 'one', 0]);
	assert.equal([consumer.label, consumer.protocol], ['first', 'one']);
	assert.equal([loose.producer.label, loose.producer.sctpStreamParameters.streamId], ['second', 1]);
	assert.equal(
		[loose.consumer.sctpStreamParameters.ordered, loose.consumer.sctpStreamParameters.maxRetransmits],
		[false, 3],
	);
	const { sctp } = anna.send.connection;
	assert.ok(sctp!.maxMessageSize >= 262_144);
	assert.ok(sctp!.maxChannels! >= 1_024);
});

for (const [how, options] of [
	['ordered', {}],
	['unordered, with a lifetime', { ordered: false, maxPacketLifeTime: 3_000 }],
	['unordered, with limited retransmissions', { ordered: false, maxRetransmits: 5 }],
] as const) {
	test(`${how}: a thousand messages arrive`, async () => {
		const { producer, received } = await channel(options);
		for (let index = 0; index < 1_000; index++) {
			producer.send(`${index}`);
			// A burst may be lost in the SFU's own buffers, which is not ours to test.
			if (index % 50 === 49) await eventually(async () => producer.bufferedAmount === 0 || null, PATIENCE, 'room');
		}
		const messages = (await take(received, 1_000)) as string[];
		if (options === undefined || !('ordered' in options))
			assert.equal(
				messages,
				messages.map((_, index) => `${index}`),
			);
		assert.is(new Set(messages).size, 1_000);
	});
}

test('the largest message that the SFU takes arrives whole; a larger one is refused at once', async () => {
	const { producer, received } = await channel();
	const largest = randomBytes(anna.send.connection.sctp!.maxMessageSize);
	producer.send(largest);
	assert.is(describe((await take(received, 1))[0]), digest(largest));
	assert.throws(
		() => producer.send(Buffer.concat([largest, Buffer.alloc(1)])),
		(error: Error) => error.name === 'TypeError',
	);
	producer.send('still there');
	assert.is((await take(received, 1))[0], 'still there');
});

test('bufferedAmount rises with send and falls to 0; bufferedamountlow says when', async () => {
	const { producer, received } = await channel();
	producer.bufferedAmountLowThreshold = 10_000;
	const low = new Promise((resolve) => producer.once('bufferedamountlow', resolve as () => void));
	for (let index = 0; index < 20; index++) producer.send(new Uint8Array(20_000));
	assert.is(producer.bufferedAmount, 400_000);
	await low;
	assert.ok(producer.bufferedAmount <= 10_000);
	await take(received, 20);
	assert.is(producer.bufferedAmount, 0);
});

test('channels share their transport with pictures and sound, whichever came first', async () => {
	const early = await channel({ label: 'early' });
	const [video, audio] = [await anna.produce(await picture(1)), await anna.produce(await tone(500))];
	const [seen, heard] = [await bert.consume(video.id), await bert.consume(audio.id)];
	const late = await channel({ label: 'late' });
	early.producer.send('one');
	late.producer.send('two');
	assert.equal([...(await take(early.received, 1)), ...(await take(late.received, 1))], ['one', 'two']);
	await Promise.all([sees(seen.client.track, 1), hears(heard.client.track, 500)]);
	assert.is(anna.dtls.length, 1);
});

test('channels close and open again, from either end; others go on', async () => {
	const stays = await channel({ label: 'stays' });
	for (let round = 0; round < 5; round++) {
		const { producer, consumer, received } = await channel({ label: `round ${round}` });
		producer.send(`${round}`);
		assert.equal(await take(received, 1), [`${round}`]);
		producer.close();
		assert.is(producer.readyState === 'open', false);
		anna.dataProducers.get(producer.id)!.close();
		consumer.close();
	}
	stays.producer.send('yes');
	assert.equal(await take(stays.received, 1), ['yes']);
});

test('a channel that the SFU closes says so to its consumer; the others go on', async () => {
	const [stays, goes] = [await channel({ label: 'stays' }), await channel({ label: 'goes' })];
	const told: string[] = [];
	goes.consumer.on('close', () => told.push('close'));
	goes.consumer.on('error', (error) => told.push(error.message));
	goes.producer.send('last');
	assert.equal(await take(goes.received, 1), ['last']);
	await bert.dataConsumers.get(goes.consumer.id)!.close();
	await eventually(async () => goes.consumer.closed || null, PATIENCE, 'a closed consumer');
	assert.equal(told, ['close']);
	assert.is(goes.consumer.readyState, 'closed');
	stays.producer.send('yes');
	assert.equal(await take(stays.received, 1), ['yes']);
});

test('when the SFU closes a transport its channels close', async () => {
	const { producer, consumer } = await channel();
	const told: string[] = [];
	producer.on('close', () => told.push('producer'));
	consumer.on('close', () => told.push('consumer'));
	anna.send.server.close();
	bert.receive.server.close();
	await eventually(async () => told.length === 2 || null, PATIENCE, 'two closed channels');
	assert.equal([producer.readyState, consumer.readyState], ['closed', 'closed']);
});

test('the section of a consumer’s channel is called as the SFU calls it, and says what we may be sent', async () => {
	await channel();
	const [section] = sections(bert.receive.connection.currentLocalDescription).filter((each) =>
		/^m=application/.test(each),
	);
	assert.equal(attributes(section!, 'mid'), ['datachannel']);
	assert.equal(attributes(section!, 'max-message-size'), [`${bert.receive.server.sctpParameters!.maxMessageSize}`]);
});

test('many channels at once each keep their own messages', async () => {
	const all = await Promise.all(Array.from({ length: 20 }, (_, index) => channel({ label: `${index}` })));
	for (const { producer } of all) for (let index = 0; index < 10; index++) producer.send(`${producer.label}:${index}`);
	for (const { producer, received } of all) {
		const expected = Array.from({ length: 10 }, (_, index) => `${producer.label}:${index}`);
		assert.equal(await take(received, 10), expected);
	}
});

test('binary messages pass through an ArrayBuffer that its owner reuses', async () => {
	const { producer, received } = await channel();
	const reused = new Uint8Array(1_000);
	const digests: string[] = [];
	for (let index = 0; index < 5; index++) {
		reused.fill(index);
		producer.send(reused);
		digests.push(digest(reused));
	}
	assert.equal((await take(received, 5)).map(describe), digests);
});

test('on a path that is dead for a while, what may not be sent again is lost; what may comes, once and in order', async () => {
	anna.close();
	anna = await Station.open(sfu.router, { loss: LITTLE });
	const once = await channel({ label: 'once', ordered: false, maxRetransmits: 0 });
	const soon = await channel({ label: 'soon', ordered: false, maxPacketLifeTime: 1 });
	const all = await channel({ label: 'all' });
	const channels = [once, soon, all];
	const send = async (text: string) => {
		for (const { producer } of channels) producer.send(text);
		const left = async () => channels.every(({ producer }) => producer.bufferedAmount === 0) || null;
		await eventually(left, PATIENCE, `${text} to leave`);
	};
	await send('first');
	for (const { received } of channels) assert.equal(await take(received, 1), ['first']);
	anna.send.relay!.loss = 1;
	for (const text of ['lost 1', 'lost 2', 'lost 3']) await send(text);
	anna.send.relay!.loss = 0;
	await send('last');
	assert.equal(await take(all.received, 4), ['lost 1', 'lost 2', 'lost 3', 'last']);
	for (const { received } of [once, soon]) assert.equal(await take(received, 1), ['last']);
	for (const { producer, received } of channels) assert.equal(received, [], producer.label);
});

/** So little loss that the relay is all there is of it. */
const LITTLE = 1e-9;

test('a file of 4 MiB passes the SFU whole, as fast as its reader says, with a chat beside it', async () => {
	const [file, chat] = [await channel({ label: 'file' }), await channel({ label: 'chat' })];
	// The SFU drops what its buffer for the consumer has no room for: the reader says when there is some.
	const taken = await bert.produceData({ label: 'taken' });
	const said = await anna.consumeData(taken.id);
	const bytes = randomBytes(4 << 20);
	const [piece, ahead] = [16_000, 6];
	let read = 0;
	said.on('message', (message) => {
		read = Number(message);
	});
	const parts: Buffer[] = [];
	file.consumer.on('message', (message) => taken.send(`${parts.push(Buffer.from(message as ArrayBuffer))}`));
	const count = Math.ceil(bytes.length / piece);
	for (let sent = 0; sent < count; sent++) {
		await eventually(async () => sent - read < ahead || null, PATIENCE, `piece ${sent} of ${count}, ${read} read`);
		file.producer.send(bytes.subarray(sent * piece, (sent + 1) * piece));
		if (sent % 50 === 0) chat.producer.send(`${sent} of ${count}`);
	}
	await eventually(async () => parts.length === count || null, PATIENCE, 'the last pieces');
	assert.is(digest(Buffer.concat(parts)), digest(bytes));
	const lines = Array.from({ length: Math.ceil(count / 50) }, (_, index) => `${index * 50} of ${count}`);
	assert.equal(await take(chat.received, lines.length), lines);
});

/** A channel through the SFU, open at both ends, and what has arrived. */
async function channel(options: types.DataProducerOptions = {}) {
	const producer = await anna.produceData(options);
	const consumer = await bert.consumeData(producer.id);
	const received: unknown[] = [];
	consumer.on('message', (message) => received.push(message));
	return { producer, consumer, received };
}

/** Waits until so many messages are there, and removes them. */
async function take(received: unknown[], count: number): Promise<unknown[]> {
	await eventually(async () => (received.length >= count ? true : null), PATIENCE, `${count} messages`).catch(() => {
		throw new Error(`${received.length} of ${count} messages came`);
	});
	return received.splice(0, count);
}

/** A string itself; of binary data, its length and digest. */
function describe(message: unknown): string {
	if (typeof message === 'string') return message;
	assert.instance(message, ArrayBuffer);
	return digest(new Uint8Array(message as ArrayBuffer));
}

function digest(bytes: Uint8Array): string {
	return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
}

test.run();
