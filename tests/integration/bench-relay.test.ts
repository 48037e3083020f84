/** The bench's relay: datagrams come late, in their order, and the same ones are lost in every run. */
import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cpuSecondsOf } from '../../bench/processes.ts';
import { firstCandidate, Relay, relayProgram } from '../../bench/Relay.ts';

const DELAY_MS = 40;
const SENT = 400;

async function bound(): Promise<Socket> {
	const socket = createSocket('udp4').bind(0, '127.0.0.1');
	await once(socket, 'listening');
	// So that a busy machine loses nothing here: the relay alone should.
	socket.setRecvBufferSize(4 << 20);
	return socket;
}

const describe = (port: number) => `a=candidate:1 1 udp 1 127.0.0.1 ${port} typ host\r\n`;

/** Sends numbers from one socket to another by a relay: those that arrived, and the least ms that one took. */
async function carried(loss: number, seed: number): Promise<{ numbers: number[]; least: number; lost: number }> {
	const [a, b] = [await bound(), await bound()];
	const relay = new Relay({ delayMs: DELAY_MS, loss, seed });
	try {
		// What stands for B is where A sends.
		await relay.describe('a', describe(a.address().port));
		const { port } = firstCandidate(await relay.describe('b', describe(b.address().port)));
		const numbers: number[] = [];
		const sentAt: number[] = [];
		let least = Number.POSITIVE_INFINITY;
		b.on('message', (data) => {
			const number = data.readUInt16BE();
			numbers.push(number);
			least = Math.min(least, performance.now() - sentAt[number]!);
		});
		// The relay has read both addresses.
		await sleep(50);
		for (let number = 0; number < SENT; number++) {
			const data = Buffer.alloc(100);
			data.writeUInt16BE(number);
			sentAt.push(performance.now());
			a.send(data, port, '127.0.0.1');
			if (number % 20 === 0) await sleep(1);
		}
		await sleep(DELAY_MS + 1000);
		const { carried, lost, overrun } = await relay.end();
		assert.is(carried, numbers.length);
		assert.is(carried + lost, SENT);
		assert.is(overrun, 0);
		return { numbers, least, lost };
	} finally {
		await relay.end();
		a.close();
		b.close();
	}
}

const missing = await relayProgram().then(
	() => null,
	(error: Error) => error.message,
);
if (missing) console.log(`skipped: ${missing}`);
const withGo = missing ? test.skip : test;

withGo('every datagram comes late and in its order', async () => {
	const { numbers, least } = await carried(0, 1);
	assert.equal(
		numbers,
		Array.from({ length: SENT }, (_, index) => index),
	);
	assert.ok(least >= DELAY_MS, `${least} ms`);
});

withGo('a share is lost, the same in every run of a seed', async () => {
	const first = await carried(0.1, 7);
	assert.ok(first.lost > 0.04 * SENT && first.lost < 0.2 * SENT, `${first.lost} lost`);
	assert.equal((await carried(0.1, 7)).numbers, first.numbers);
	assert.not.equal((await carried(0.1, 8)).numbers, first.numbers);
});

test('the CPU time of a process has that of a descendant in a process group of its own', async () => {
	// It ends by itself, so that nothing is left of a test that fails.
	const child = spawn('sh', ['-c', 'setsid timeout 2 sh -c "while :; do :; done" & wait'], { stdio: 'ignore' });
	const ended = once(child, 'close');
	await sleep(1500);
	assert.ok(cpuSecondsOf(child.pid!) > 0.05, `${cpuSecondsOf(child.pid!)} s`);
	await ended;
});

test.run();
