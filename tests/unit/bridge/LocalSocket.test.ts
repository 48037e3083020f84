import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LocalSocket } from '../../../bridge/LocalSocket.ts';

type Frame = [payload: string, binary: boolean];

/** A socket of which both ends are the test's. */
function open() {
	const written: Buffer[] = [];
	const stream = new Duplex({
		read() {},
		write(chunk: Buffer, _, done) {
			written.push(chunk);
			done();
		},
	});
	const local = new LocalSocket(Object.assign(stream, { setNoDelay() {} }) as unknown as Socket);
	return { stream, local, bytes: () => Buffer.concat(written) };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

async function encode(frames: Frame[]): Promise<Buffer> {
	const { local, bytes } = open();
	for (const [payload, binary] of frames) local.send(payload, binary);
	await turn();
	return bytes();
}

test('a frame is its length, with the top bit set when it is binary, and its payload', async () => {
	const bytes = await encode([
		['{}', false],
		['abc', true],
	]);
	assert.is(bytes.toString('hex'), `00000002${'7b7d'}80000003${'616263'}`);
});

test('however the bytes are cut, the frames are those that were sent', async () => {
	const frame = fc.tuple(fc.string(), fc.boolean());
	await fc.assert(
		fc.asyncProperty(fc.array(frame), fc.array(fc.integer({ min: 1, max: 9 })), async (frames, cuts) => {
			const bytes = await encode(frames);
			const { stream, local } = open();
			const came: Frame[] = [];
			local.onframe = (payload, binary) => came.push([payload.toString(), binary]);
			let offset = 0;
			for (const cut of [...cuts, bytes.length]) {
				stream.push(bytes.subarray(offset, offset + cut));
				offset += cut;
				await turn();
			}
			assert.equal(came, frames);
		}),
		{ numRuns: 50 },
	);
});

test('frames wait for a taker, and one taker can hand over to the next in the middle of a read', async () => {
	const { stream, local } = open();
	stream.push(
		await encode([
			['first', false],
			['second', false],
			['third', false],
		]),
	);
	await turn();
	const came: string[] = [];
	local.onframe = (payload) => {
		came.push(`a ${payload}`);
		local.onframe = null;
	};
	assert.equal(came, ['a first']);
	await turn();
	local.onframe = (payload) => came.push(`b ${payload}`);
	assert.equal(came, ['a first', 'b second', 'b third']);
});

test.run();
