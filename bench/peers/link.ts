/** The link alone: a shim's session and a worker in which nothing is sent to a network; link_worker.py is the other end. */
import { createInterface } from 'node:readline';
import { startEmbedded } from '../../bridge/embedded.ts';
import { Wire } from '../../shim/rpc/Wire.ts';
import { HIGH } from './serve.ts';

const MIRROR = 1;

const wire = new Wire({
	connect: startEmbedded,
	openSocket: () => {
		throw new Error('the embedded bridge has a way of its own');
	},
	client: 'bench',
	onwelcome: () => {},
	onlost: () => {},
	onfailure: () => {},
	onbusy: () => {},
});

let expected = 0;
let onBack = () => {};
let onLow: (() => void) | null = null;
wire.create(MIRROR, 'Mirror', {});
const port = wire.attach(MIRROR, {
	event: (name, out) => console.error(name, out),
	message: () => {
		if (--expected === 0) onBack();
	},
	media: () => {},
	buffered: (amount) => {
		if (amount <= HIGH / 2) onLow?.();
	},
	resumed: () => {},
	lost: () => {},
});

async function flood(count: number, bytes: number): Promise<void> {
	const message = new Uint8Array(bytes);
	const back = new Promise<void>((resolve) => {
		onBack = resolve;
	});
	expected = count;
	for (let sent = 0; sent < count; sent++) {
		if (port.bufferedAmount > HIGH) {
			await new Promise<void>((resolve) => {
				onLow = resolve;
			});
		}
		// As send() does, whose caller may write over its own.
		port.send(message.slice());
	}
	await back;
}

async function ping(count: number, bytes: number): Promise<number[]> {
	const trips: number[] = [];
	for (let sent = 0; sent < count; sent++) {
		const started = performance.now();
		await flood(1, bytes);
		trips.push(performance.now() - started);
	}
	return trips;
}

for await (const line of createInterface(process.stdin)) {
	const { do: what, count, bytes } = JSON.parse(line) as { do: 'flood' | 'ping'; count: number; bytes: number };
	const answer = what === 'ping' ? { trips: await ping(count, bytes) } : {};
	if (what === 'flood') await flood(count, bytes);
	console.log(JSON.stringify(answer));
}
await wire.close();
