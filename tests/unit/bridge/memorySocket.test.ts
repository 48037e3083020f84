import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySocketPair } from '../../../bridge/memorySocket.ts';
import type { ShimSocket } from '../../../bridge/ShimSocket.ts';
import type { Socket } from '../../../shim/link/Socket.ts';

type Frame = string | number[];

/** Both ends, open, and what each has heard. */
async function open() {
	const { shim, bridge } = memorySocketPair();
	const heard: Frame[] = [];
	const told: Frame[] = [];
	const ends: unknown[] = [];
	bridge.on('message', (payload, binary) => heard.push(binary ? [...payload] : payload.toString()));
	bridge.on('close', (code) => ends.push(['bridge', code]));
	shim.onmessage = ({ data }: { data: string | Uint8Array }) => told.push(typeof data === 'string' ? data : [...data]);
	shim.onclose = ({ code, reason }: { code: number; reason: string }) => ends.push(['shim', code, reason]);
	await opened(shim);
	return { shim, bridge, heard, told, ends };
}

function opened(shim: Socket): Promise<void> {
	return new Promise((resolve) => {
		shim.onopen = () => resolve();
	});
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('frames of both kinds arrive in the call that sends them, both ways', async () => {
	const { shim, bridge, heard, told } = await open();
	shim.send('näher');
	shim.send(new Uint8Array([1, 2, 3]).subarray(1));
	assert.equal(heard, ['näher', [2, 3]]);
	bridge.send(Buffer.from('text'), { binary: false });
	bridge.send('text', { binary: false });
	bridge.send(Buffer.from([4, 5]), { binary: true });
	assert.equal(told, ['text', 'text', [4, 5]]);
});

test("what the shim gets of bytes is no Buffer: a slice of one would be a view of what its sender's is", async () => {
	const { shim, bridge } = await open();
	let got: Uint8Array | undefined;
	shim.onmessage = ({ data }: { data: Uint8Array }) => {
		got = data;
	};
	bridge.send(Buffer.from([1]), { binary: true });
	assert.not(Buffer.isBuffer(got));
	assert.instance(got, Uint8Array);
});

test('a paused bridge hears later, in order, what came meanwhile', async () => {
	const { shim, bridge, heard } = await open();
	bridge.pause();
	for (const text of ['a', 'b', 'c']) shim.send(text);
	assert.equal(heard, []);
	bridge.once('message', () => bridge.pause());
	bridge.resume();
	assert.equal(heard, ['a']);
	bridge.resume();
	assert.equal(heard, ['a', 'b', 'c']);
});

const closings: [string, (ends: { shim: Socket; bridge: ShimSocket }) => void, number, string][] = [
	['the shim', ({ shim }) => shim.close(1000, 'bye'), 1000, 'bye'],
	['the bridge', ({ bridge }) => bridge.close(4003, 'a limit'), 4003, 'a limit'],
	['the bridge, without a word', ({ bridge }) => bridge.terminate(), 1006, ''],
];
for (const [who, close, code, reason] of closings) {
	test(`closed by ${who}: both ends hear of it once, later, and nothing more is carried`, async () => {
		const pair = await open();
		close(pair);
		assert.equal(pair.ends, []);
		pair.shim.send('late');
		pair.bridge.send('late', { binary: false });
		close(pair);
		await turn();
		assert.equal(pair.ends, [
			['bridge', code],
			['shim', code, reason],
		]);
		assert.equal([pair.heard, pair.told], [[], []]);
	});
}

test('one that is closed before it was open never opens', async () => {
	const { shim, bridge } = memorySocketPair();
	const events: string[] = [];
	shim.onopen = () => events.push('open');
	shim.onclose = () => events.push('close');
	shim.close(1000, '');
	await turn();
	assert.equal(events, ['close']);
	assert.not.equal(bridge.readyState, bridge.OPEN);
});

test.run();
