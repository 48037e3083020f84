/** This project, as its user has it: one import, an embedded bridge (or the one that AIORTC_SHIM_URL names). */
import 'aiortc-shim/global';
import { createHash } from 'node:crypto';
import { type Connect, HIGH, serve } from './serve.ts';

const BULK = new Uint8Array(16 * 1024);

const low = (channel: RTCDataChannel) =>
	new Promise((resolve) => channel.addEventListener('bufferedamountlow', resolve, { once: true }));

const connect: Connect = (onmessage) => {
	const connection = new RTCPeerConnection();
	let channel: RTCDataChannel;
	let opened: Promise<void>;
	let bulk: { on: boolean; ended: Promise<void> } | null = null;

	let hash = createHash('sha256');
	let taken = 0;

	/** Digests what comes on the channel `file`, and says so when it is all. */
	function read(file: RTCDataChannel): void {
		file.onmessage = ({ data }) => {
			if (typeof data === 'string') file.send(`${taken}`);
			else {
				hash.update(new Uint8Array(data));
				taken += data.byteLength;
			}
		};
	}

	function adopt(one: RTCDataChannel): void {
		if (one.label === 'file') read(one);
		if (one.label !== 'bench') return;
		channel = one;
		channel.binaryType = 'arraybuffer';
		channel.bufferedAmountLowThreshold = HIGH / 2;
		channel.onmessage = ({ data }) => onmessage(typeof data === 'string' ? data : null, () => channel.send(data));
		opened = new Promise((resolve) => {
			channel.onopen = () => resolve();
		});
	}

	async function gathered(): Promise<string> {
		while (connection.iceGatheringState !== 'complete') {
			await new Promise((resolve) => {
				connection.onicegatheringstatechange = resolve;
			});
		}
		return connection.localDescription!.sdp;
	}

	async function sendBulk(control: { on: boolean }): Promise<void> {
		const other = connection.createDataChannel('bulk');
		other.bufferedAmountLowThreshold = HIGH / 2;
		await new Promise((resolve) => {
			other.onopen = resolve;
		});
		while (control.on) {
			if (other.bufferedAmount > HIGH) await low(other);
			other.send(BULK);
		}
		other.close();
	}

	return {
		async offer() {
			adopt(connection.createDataChannel('bench'));
			await connection.setLocalDescription();
			return gathered();
		},
		async answer(sdp) {
			connection.ondatachannel = (event) => adopt(event.channel);
			await connection.setRemoteDescription({ type: 'offer', sdp });
			await connection.setLocalDescription();
			return gathered();
		},
		async accept(sdp) {
			await connection.setRemoteDescription({ type: 'answer', sdp });
			await opened;
		},
		send: (data) => channel.send(data as Uint8Array<ArrayBuffer>),
		room: () => (channel.bufferedAmount > HIGH ? low(channel) : null),
		async bulk(on) {
			if (on) {
				const control = { on: true };
				bulk = Object.assign(control, { ended: sendBulk(control) });
			} else if (bulk) {
				bulk.on = false;
				await bulk.ended;
			}
		},
		async transfer(bytes) {
			const file = connection.createDataChannel('file');
			file.bufferedAmountLowThreshold = HIGH / 2;
			await new Promise((resolve) => {
				file.onopen = resolve;
			});
			const sent = createHash('sha256');
			const piece = new Uint8Array(64 * 1024);
			const words = new Uint32Array(piece.buffer);
			const started = performance.now();
			for (let done = 0; done < bytes; done += piece.length) {
				for (let index = 0; index < words.length; index++) words[index] = Math.imul(done + index, 2_654_435_761);
				if (file.bufferedAmount > HIGH) await low(file);
				sent.update(piece);
				file.send(piece);
			}
			const all = new Promise((resolve) => {
				file.onmessage = resolve;
			});
			file.send('all?');
			await all;
			file.close();
			return { seconds: (performance.now() - started) / 1000, digest: sent.digest('hex') };
		},
		digest() {
			const digest = hash.digest('hex');
			hash = createHash('sha256');
			taken = 0;
			return digest;
		},
		close: () => connection.close(),
	};
};

await serve(connect);
