/** werift: WebRTC in TypeScript. */
import { load } from './others.ts';
import { type Connect, HIGH, serve } from './serve.ts';

interface Channel {
	bufferedAmount: number;
	bufferedAmountLowThreshold: number;
	bufferedAmountLow: { once(resolve: () => void): void };
	readyState: string;
	onopen?: () => void;
	onmessage?: (event: { data: string | Buffer }) => void;
	send(data: string | Buffer): void;
}

interface Description {
	type: 'offer' | 'answer';
	sdp: string;
}

interface PeerConnection {
	localDescription: Description;
	onDataChannel: { subscribe(take: (channel: Channel) => void): void };
	createDataChannel(label: string): Channel;
	createOffer(): Promise<Description>;
	createAnswer(): Promise<Description>;
	setLocalDescription(description: Description): Promise<unknown>;
	setRemoteDescription(description: Description): Promise<unknown>;
	close(): Promise<void>;
}

const { RTCPeerConnection } = load('werift') as { RTCPeerConnection: new (options: object) => PeerConnection };

const connect: Connect = (onmessage) => {
	const connection = new RTCPeerConnection({ iceServers: [] });
	let channel: Channel;
	let opened: Promise<void>;

	function adopt(one: Channel): void {
		channel = one;
		channel.bufferedAmountLowThreshold = HIGH / 2;
		channel.onmessage = ({ data }) => onmessage(typeof data === 'string' ? data : null, () => channel.send(data));
		opened = new Promise((resolve) => {
			channel.onopen = resolve;
			if (channel.readyState === 'open') resolve();
		});
	}

	return {
		async offer() {
			adopt(connection.createDataChannel('bench'));
			await connection.setLocalDescription(await connection.createOffer());
			return connection.localDescription.sdp;
		},
		async answer(sdp) {
			connection.onDataChannel.subscribe(adopt);
			await connection.setRemoteDescription({ type: 'offer', sdp });
			await connection.setLocalDescription(await connection.createAnswer());
			return connection.localDescription.sdp;
		},
		async accept(sdp) {
			await connection.setRemoteDescription({ type: 'answer', sdp });
			await opened;
		},
		send: (data) => channel.send(typeof data === 'string' ? data : Buffer.from(data)),
		room: () =>
			channel.bufferedAmount > HIGH ? new Promise<void>((resolve) => channel.bufferedAmountLow.once(resolve)) : null,
		close: () => void connection.close(),
	};
};

await serve(connect);
process.exit();
