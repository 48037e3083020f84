/** node-datachannel: libdatachannel, which is C++, in Node; its own interface, which is quicker than its W3C one. */
import { load } from './others.ts';
import { type Connect, HIGH, serve } from './serve.ts';

interface Channel {
	getLabel(): string;
	bufferedAmount(): number;
	setBufferedAmountLowThreshold(bytes: number): void;
	onBufferedAmountLow(callback: () => void): void;
	onMessage(callback: (data: string | Buffer) => void): void;
	onOpen(callback: () => void): void;
	isOpen(): boolean;
	sendMessage(text: string): boolean;
	sendMessageBinary(data: Uint8Array): boolean;
}

interface PeerConnection {
	createDataChannel(label: string): Channel;
	onDataChannel(callback: (channel: Channel) => void): void;
	onGatheringStateChange(callback: (state: string) => void): void;
	setLocalDescription(): void;
	setRemoteDescription(sdp: string, type: string): void;
	localDescription(): { sdp: string };
	close(): void;
}

const { PeerConnection } = load('node-datachannel') as {
	PeerConnection: new (name: string, options: object) => PeerConnection;
};

const connect: Connect = (onmessage) => {
	const connection = new PeerConnection('bench', { iceServers: [], disableAutoNegotiation: true });
	const gathered = new Promise<void>((resolve) => {
		connection.onGatheringStateChange((state) => state === 'complete' && resolve());
	});
	let channel: Channel;
	let opened: Promise<void>;
	let low: (() => void) | null = null;

	function adopt(one: Channel): void {
		channel = one;
		channel.setBufferedAmountLowThreshold(HIGH / 2);
		channel.onBufferedAmountLow(() => low?.());
		channel.onMessage((data) => {
			onmessage(typeof data === 'string' ? data : null, () => channel.sendMessageBinary(data as Buffer));
		});
		opened = new Promise((resolve) => {
			channel.onOpen(resolve);
			if (channel.isOpen()) resolve();
		});
	}

	async function described(): Promise<string> {
		connection.setLocalDescription();
		await gathered;
		return connection.localDescription().sdp;
	}

	return {
		offer() {
			adopt(connection.createDataChannel('bench'));
			return described();
		},
		answer(sdp) {
			connection.onDataChannel(adopt);
			connection.setRemoteDescription(sdp, 'offer');
			return described();
		},
		async accept(sdp) {
			connection.setRemoteDescription(sdp, 'answer');
			await opened;
		},
		send: (data) => (typeof data === 'string' ? channel.sendMessage(data) : channel.sendMessageBinary(data)),
		room() {
			if (channel.bufferedAmount() <= HIGH) return null;
			return new Promise<void>((resolve) => {
				low = resolve;
				if (channel.bufferedAmount() <= HIGH / 2) resolve();
			});
		},
		close: () => connection.close(),
	};
};

await serve(connect);
process.exit();
