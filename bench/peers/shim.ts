/** This project, as its user has it: one import, an embedded bridge (or the one that AIORTC_SHIM_URL names). */
import 'aiortc-shim/global';
import { createInterface } from 'node:readline';
import type { Asks } from '../peer.ts';

/** Bytes in the channel's buffer past which a flood waits. */
const HIGH = 1 << 20;

let connection = new RTCPeerConnection();
let channel: RTCDataChannel;
let opened: Promise<void>;
let expected = 0;
let onEcho: (() => void) | null = null;

function adopt(one: RTCDataChannel): void {
	channel = one;
	channel.binaryType = 'arraybuffer';
	channel.bufferedAmountLowThreshold = HIGH / 2;
	channel.onmessage = ({ data }) => onMessage(data);
	opened = new Promise((resolve) => {
		channel.onopen = () => resolve();
	});
}

function onMessage(data: string | ArrayBuffer): void {
	if (typeof data === 'string') {
		if (data.startsWith('flood ')) expected = Number(data.slice(6));
		else onEcho?.();
	} else if (expected > 0) {
		if (--expected === 0) channel.send('done');
	} else if (onEcho) onEcho();
	else channel.send(data);
}

function gathered(): Promise<void> {
	if (connection.iceGatheringState === 'complete') return Promise.resolve();
	return new Promise((resolve) => {
		connection.onicegatheringstatechange = () => connection.iceGatheringState === 'complete' && resolve();
	});
}

const does: { [A in keyof Asks]: (params: Asks[A]['in']) => Promise<Asks[A]['out']> } = {
	async offer() {
		adopt(connection.createDataChannel('bench'));
		await connection.setLocalDescription();
		await gathered();
		return { sdp: connection.localDescription!.sdp };
	},
	async answer({ sdp }) {
		connection.ondatachannel = (event) => adopt(event.channel);
		await connection.setRemoteDescription({ type: 'offer', sdp });
		await connection.setLocalDescription();
		await gathered();
		return { sdp: connection.localDescription!.sdp };
	},
	async accept({ sdp }) {
		await connection.setRemoteDescription({ type: 'answer', sdp });
		await opened;
		return {};
	},
	async ping({ count, bytes }) {
		const message = new Uint8Array(bytes);
		const trips: number[] = [];
		for (let sent = 0; sent < count; sent++) {
			const started = performance.now();
			await new Promise<void>((resolve) => {
				onEcho = resolve;
				channel.send(message);
			});
			trips.push(performance.now() - started);
		}
		onEcho = null;
		return { trips };
	},
	async flood({ count, bytes }) {
		const message = new Uint8Array(bytes);
		const done = new Promise<void>((resolve) => {
			onEcho = resolve;
		});
		const started = performance.now();
		channel.send(`flood ${count}`);
		for (let sent = 0; sent < count; sent++) {
			if (channel.bufferedAmount > HIGH) {
				await new Promise((resolve) => channel.addEventListener('bufferedamountlow', resolve, { once: true }));
			}
			channel.send(message);
		}
		await done;
		onEcho = null;
		return { seconds: (performance.now() - started) / 1000 };
	},
	async close() {
		connection.close();
		connection = new RTCPeerConnection();
		return {};
	},
};

for await (const line of createInterface(process.stdin)) {
	const { do: what, ...params } = JSON.parse(line) as { do: keyof Asks };
	const answer = await (does[what] as (params: object) => Promise<object>)(params);
	console.log(JSON.stringify(answer));
}
connection.close();
