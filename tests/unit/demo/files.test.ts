/** Files over channels: what a sender and its receivers make of what they say to each other. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FileReceiver, type Incoming } from '../../../demo/files/FileReceiver.ts';
import { type Delivery, FileSender } from '../../../demo/files/FileSender.ts';
import { CHUNK, LARGEST, parseOffer, WINDOW } from '../../../demo/files/offer.ts';
import { type FileReceipt, parseReceipt } from '../../../demo/receipts.ts';
import type { PeerInfo } from '../../../demo/signalling.ts';

const anna: PeerInfo = { id: 'anna', name: 'Anna', bot: false };
const bert: PeerInfo = { id: 'bert', name: 'Bert', bot: true };
const carl: PeerInfo = { id: 'carl', name: 'Carl', bot: true };

/** Receivers on a network that takes its time and, by `harm`, does what networks do not. */
class Net {
	readonly sender: FileSender;
	readonly got: { by: string; content: Uint8Array }[] = [];
	readonly failed: string[] = [];
	readonly #receivers = new Map<PeerInfo, FileReceiver>();
	bytes = 0;
	confirmed = 0;
	farthest = 0;
	harm: (data: string | Uint8Array<ArrayBuffer>) => string | Uint8Array<ArrayBuffer> | null = (data) => data;

	constructor(peers: readonly PeerInfo[], silence = 5_000) {
		this.sender = new FileSender({ send: (data) => this.#carry(data) }, silence);
		for (const peer of peers) this.add(peer);
	}

	add(peer: PeerInfo): FileReceiver {
		const receiver = new FileReceiver({
			reply: (receipt) => setImmediate(() => this.#reply(receipt, peer)),
			onWhole: async (_: Incoming, content) => {
				this.got.push({ by: peer.name, content: new Uint8Array(await content.arrayBuffer()) });
			},
			onFailed: (_, reason) => this.failed.push(`${peer.name}: ${reason}`),
		});
		this.#receivers.set(peer, receiver);
		this.sender.addListener(peer);
		return receiver;
	}

	#carry(data: string | Uint8Array<ArrayBuffer>): void {
		if (typeof data !== 'string') this.bytes += data.byteLength;
		this.farthest = Math.max(this.farthest, this.bytes - this.confirmed);
		const arriving = this.harm(data);
		if (arriving === null) return;
		const message = typeof arriving === 'string' ? arriving : arriving.slice().buffer;
		for (const receiver of this.#receivers.values()) setImmediate(() => receiver.take(message, anna));
	}

	#reply(receipt: FileReceipt, peer: PeerInfo): void {
		this.confirmed = Math.max(this.confirmed, receipt.bytes);
		const parsed = parseReceipt(JSON.stringify(receipt));
		if (parsed?.type === 'file') this.sender.confirm(parsed, peer);
	}
}

function file(size: number, name = 'a.bin'): File {
	return new File([Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8))], name);
}

const outcomes = (deliveries: readonly Delivery[]) => deliveries.map(({ peer, outcome }) => `${peer.name} ${outcome}`);

test('files of all sizes arrive whole at everyone, one after another', async () => {
	const net = new Net([bert, carl]);
	const files = [0, 1, CHUNK, CHUNK + 1, WINDOW * 3 + 5].map((size) => file(size));
	const sent = await Promise.all(files.map((each) => net.sender.send(each)));
	for (const deliveries of sent) assert.equal(outcomes(deliveries), ['Bert whole', 'Carl whole']);
	await until(() => net.got.length === 10);
	for (const { by, content } of net.got) {
		const original = files.find(({ size }) => size === content.byteLength);
		assert.ok(original && Buffer.from(await original.arrayBuffer()).equals(Buffer.from(content)), by);
	}
});

test('no more than the window is on its way to a receiver', async () => {
	const net = new Net([bert]);
	await net.sender.send(file(WINDOW * 5));
	assert.ok(net.farthest <= WINDOW + CHUNK, `${net.farthest} bytes`);
	assert.ok(net.farthest >= WINDOW - CHUNK, 'and the window is used');
});

test('a byte that changed on the way is found by the digest, on both sides', async () => {
	const net = new Net([bert]);
	net.harm = (data) => (typeof data === 'string' ? data : data.map((byte, i) => (i === 5 ? byte ^ 1 : byte)));
	assert.equal(outcomes(await net.sender.send(file(100_000))), ['Bert different']);
	assert.equal(net.got, []);
	assert.equal(net.failed, ['Bert: its digest is another than its sender’s']);
});

test('who leaves or falls silent is waited for no longer; the others get it', async () => {
	const net = new Net([bert, carl], 300);
	const dora = { id: 'dora', name: 'Dora', bot: false };
	net.sender.addListener(dora);
	let said = 0;
	const sent = net.sender.send(file(WINDOW * 2), {
		onProgress: () => {
			if (++said === 3) net.sender.removeListener(carl);
		},
	});
	assert.equal(outcomes(await sent), ['Bert whole', 'Carl left', 'Dora silent']);
});

test('what nobody listens to, what is too large and what was cancelled is refused with the reason', async () => {
	const alone = new Net([]);
	await rejects(alone.sender.send(file(10)), /nobody is here/);
	const net = new Net([bert]);
	const large = Object.defineProperty(file(1), 'size', { value: LARGEST + 1 });
	await rejects(net.sender.send(large), /larger than 64 MB/);
	const stop = new AbortController();
	const sent = net.sender.send(file(WINDOW * 4), {
		signal: stop.signal,
		onProgress: (bytes) => bytes > 0 && stop.abort(new Error('enough')),
	});
	await rejects(sent, /enough/);
	await until(() => net.failed.length > 0);
	assert.equal(net.failed, ['Bert: Anna gave it up']);
	assert.equal(outcomes(await net.sender.send(file(10))), ['Bert whole'], 'and the next one goes');
});

test('a receiver keeps no more than was offered, and of nobody who has left', async () => {
	const replies: FileReceipt[] = [];
	const failed: string[] = [];
	const receiver = new FileReceiver({
		reply: (receipt) => replies.push(receipt),
		onFailed: (_, reason) => failed.push(reason),
	});
	const offer = { id: '1', name: 'x', size: 10, sha256: '0'.repeat(64) };
	receiver.take(new ArrayBuffer(5), anna);
	receiver.take(JSON.stringify({ ...offer, size: LARGEST + 1 }), anna);
	assert.is(replies.pop()?.refused, 'it is too large');
	receiver.take(JSON.stringify(offer), anna);
	receiver.take(new ArrayBuffer(11), anna);
	assert.is(replies.pop()?.refused, 'it is longer than was said');
	receiver.take(JSON.stringify(offer), anna);
	receiver.forget(anna);
	receiver.take(new ArrayBuffer(10), anna);
	assert.equal(failed, ['it is longer than was said', 'Anna left']);
	assert.equal(replies, []);
});

test('an offer or receipt that is misshapen is none', () => {
	const offer = { id: '1', name: 'x', size: 10, sha256: 'a'.repeat(64) };
	assert.equal(parseOffer(JSON.stringify(offer)), offer);
	const wrong = [{ id: 1 }, { id: '' }, { name: 'x'.repeat(256) }, { size: -1 }, { size: 1.5 }, { sha256: 'a' }];
	for (const fields of wrong) assert.is(parseOffer(JSON.stringify({ ...offer, ...fields })), null);
	for (const text of ['', 'null', '[]', '{', '7']) assert.is(parseOffer(text), null);
	const receipt = { from: 'anna', type: 'file', id: '1', bytes: 3, sha256: undefined, refused: undefined };
	assert.equal(parseReceipt(JSON.stringify(receipt)), receipt);
	for (const fields of [{ from: 1 }, { type: 'x' }, { bytes: '3' }, { sha256: 'A' }, { refused: 1 }, { id: null }]) {
		assert.is(parseReceipt(JSON.stringify({ ...receipt, ...fields })), null, JSON.stringify(fields));
	}
	assert.is(parseReceipt(new ArrayBuffer(3)), null);
});

async function rejects(promise: Promise<unknown>, message: RegExp): Promise<void> {
	const error = await promise.then(
		() => assert.unreachable('it was sent'),
		(error: Error) => error,
	);
	assert.match((error as Error).message, message);
}

async function until(condition: () => boolean): Promise<void> {
	for (let waited = 0; !condition(); waited += 5) {
		assert.ok(waited < 10_000, `${condition}`);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

test.run();
