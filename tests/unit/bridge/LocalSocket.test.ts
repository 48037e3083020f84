import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { LocalSocket } from '../../../bridge/LocalSocket.ts';
import { eventually } from '../link/eventually.ts';

const until = (what: string, check: () => boolean) => eventually(what, check, 20_000);

/** A local socket, the worker's end of it, and what came there. */
async function open() {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
	const local = await LocalSocket.connect({ host: '127.0.0.1', port });
	const far = await accepted;
	server.close();
	const chunks: Buffer[] = [];
	far.on('data', (chunk) => chunks.push(chunk));
	return { local, far, bytes: () => Buffer.concat(chunks) };
}

/** Ends both, and waits for it. */
async function close(local: LocalSocket, far: Socket): Promise<void> {
	const closed = new Promise<void>((resolve) => {
		local.onclose = resolve;
	});
	far.end();
	await closed;
}

function frame(payload: string | Buffer, binary = false): Buffer {
	const header = Buffer.alloc(4);
	header.writeUInt32BE(payload.length + (binary ? 2 ** 31 : 0));
	return Buffer.concat([header, Buffer.from(payload)]);
}

test('a frame is its length, with the top bit set when it is binary, and its payload', async () => {
	const { local, far, bytes } = await open();
	local.send('{}', false);
	local.send(Buffer.from('abc'), true);
	await until('both came', () => bytes().length === 13);
	assert.is(bytes().toString('hex'), `00000002${'7b7d'}80000003${'616263'}`);
	await close(local, far);
});

test('frames come whole and in order, and stay as they are while others follow', async () => {
	const { local, far } = await open();
	const came: [Buffer, boolean][] = [];
	local.onframe = (payload, binary) => came.push([payload, binary]);
	const sent = Array.from({ length: 40 }, (_, i) => Buffer.alloc(i * 7001, i));
	for (const [i, payload] of sent.entries()) far.write(frame(payload, i % 2 === 0));
	await until('all came', () => came.length === sent.length);
	for (const [i, [payload, binary]] of came.entries()) {
		assert.ok(payload.equals(sent[i]!), `frame ${i}`);
		assert.is(binary, i % 2 === 0);
	}
	await close(local, far);
});

test('frames wait for a taker, and one taker can hand over to the next in the middle of a read', async () => {
	const { local, far } = await open();
	far.write(Buffer.concat(['first', 'second', 'third'].map((text) => frame(text))));
	const came: string[] = [];
	local.onframe = (payload) => {
		came.push(`a ${payload}`);
		local.onframe = null;
	};
	await until('one came', () => came.length > 0);
	assert.equal(came, ['a first']);
	far.write(frame('fourth'));
	local.onframe = (payload) => came.push(`b ${payload}`);
	await until('all came', () => came.length === 4);
	assert.equal(came, ['a first', 'b second', 'b third', 'b fourth']);
	await close(local, far);
});

test('the memory of a frame is used for a later one when it was given back, and not before', async () => {
	const { local, far } = await open();
	const came: Buffer[] = [];
	local.onframe = (payload) => came.push(payload);
	const send = async (byte: number) => {
		const count = came.length + 1;
		far.write(frame(Buffer.alloc(50_000, byte), true));
		await until('it came', () => came.length === count);
	};
	await send(1);
	await send(2);
	local.giveBack(came[0]!);
	await send(3);
	await send(4);
	const [first, second, third, fourth] = came.map(({ buffer }) => buffer);
	assert.is(third, first);
	assert.is(new Set([first, second, fourth]).size, 3);
	assert.equal(
		came.slice(1).map((payload) => payload[49_999]),
		[2, 3, 4],
	);
	await close(local, far);
});

test('nobody listening is an error of connect()', async () => {
	const error = await LocalSocket.connect({ path: '/nonexistent/socket' }).catch((error: unknown) => error);
	assert.is((error as NodeJS.ErrnoException).code, 'ENOENT');
});

test.run();
