/**
 * mediasoup-client-aiortc: its worker, its channel to it and its data channel, without the SFU for which it is made.
 * Its handler knows negotiated channels alone, and needs a remote end that is a mediasoup: so its requests are made here.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { load, modules } from './others.ts';
import { type Connect, serve } from './serve.ts';

interface Description {
	type: string;
	sdp: string;
}

interface Wire {
	request(method: string, internal?: object, data?: object): Promise<unknown>;
	notify(event: string, internal: object): void;
}

interface Channel extends EventTarget {
	send(data: string | ArrayBuffer): void;
}

const inside = (name: string) => load(join(modules, 'mediasoup-client-aiortc/lib', name));
const { createWorker } = inside('index.js') as { createWorker(): Promise<{ dump(): Promise<unknown>; close(): void }> };
const { FakeRTCDataChannel } = inside('FakeRTCDataChannel.js') as {
	FakeRTCDataChannel: new (internal: object, wire: Wire, options: object, status: object) => Channel;
};
const { Channel: WireClass } = inside('Channel.js') as { Channel: { prototype: Wire } };

// The worker keeps its wire to itself: the first request shows it.
let wire!: Wire;
const { request } = WireClass.prototype;
WireClass.prototype.request = function (this: Wire, ...args) {
	wire = this;
	return request.apply(this, args);
};
const worker = await createWorker();
await worker.dump();

const connect: Connect = (onmessage) => {
	const internal = { handlerId: randomUUID(), dataChannelId: randomUUID() };
	const ask = (method: string, data?: object) => wire.request(`handler.${method}`, internal, data);
	const made = wire.request('createHandler', internal, { rtcConfiguration: { iceServers: [] } });
	let channel: Channel;
	let opened: Promise<unknown>;

	async function adopt(): Promise<void> {
		await made;
		const options = {
			label: 'bench',
			protocol: '',
			ordered: true,
			id: 0,
			maxPacketLifeTime: null,
			maxRetransmits: null,
		};
		const status = (await ask('createDataChannel', options)) as object;
		channel = new FakeRTCDataChannel(internal, wire, options, status);
		opened = new Promise((resolve) => channel.addEventListener('open', resolve));
		channel.addEventListener('message', (event) => {
			const { data } = event as MessageEvent<string | ArrayBuffer>;
			// What it gives of bytes is not what was sent; its length is of the same order.
			onmessage(typeof data === 'string' ? data : null, () => channel.send(new ArrayBuffer(64)));
		});
	}

	async function describe(method: 'createOffer' | 'createAnswer'): Promise<string> {
		await ask('setLocalDescription', (await ask(method)) as Description);
		return ((await ask('getLocalDescription')) as Description).sdp;
	}

	return {
		async offer() {
			await adopt();
			return describe('createOffer');
		},
		async answer(sdp) {
			await made;
			await ask('setRemoteDescription', { type: 'offer', sdp });
			await adopt();
			return describe('createAnswer');
		},
		async accept(sdp) {
			await ask('setRemoteDescription', { type: 'answer', sdp });
			await opened;
		},
		send: (data) => channel.send(typeof data === 'string' ? data : data.buffer),
		// Its bufferedAmount is what it was up to a second ago: there is nothing to wait for.
		room: () => null,
		close: () => wire.notify('handler.close', internal),
	};
};

await serve(connect);
worker.close();
