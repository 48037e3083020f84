/** libdatachannel's end, by node-datachannel's own interface. */
import type { Does, End } from '../../driver/protocol.ts';
import { DataChannels } from '../DataChannels.ts';
import { load, versionOf } from '../load.ts';
import { serve } from '../serve.ts';

interface NativeChannel {
	getLabel(): string;
	bufferedAmount(): number;
	isOpen(): boolean;
	onOpen(callback: () => void): void;
	onClosed(callback: () => void): void;
	onMessage(callback: (data: string | Buffer) => void): void;
	sendMessage(text: string): boolean;
	sendMessageBinary(data: Buffer): boolean;
}

interface NativeConnection {
	state(): string;
	maxMessageSize(): number;
	createDataChannel(label: string): NativeChannel;
	onDataChannel(callback: (channel: NativeChannel) => void): void;
	onLocalCandidate(callback: (candidate: string, sdpMid: string) => void): void;
	setLocalDescription(type?: string): void;
	setRemoteDescription(sdp: string, type: string): void;
	addRemoteCandidate(candidate: string, sdpMid: string): void;
	localDescription(): { sdp: string };
	close(): void;
}

const { PeerConnection } = load('node-datachannel') as {
	PeerConnection: new (name: string, options: object) => NativeConnection;
};

let connection: NativeConnection;
let channels: DataChannels;

function adopt(channel: NativeChannel): void {
	let state = channel.isOpen() ? 'open' : 'connecting';
	const label = channel.getLabel();
	channel.onOpen(() => {
		state = 'open';
	});
	channel.onClosed(() => {
		state = 'closed';
	});
	channels.add(label, {
		state: () => state,
		send: (data) => (typeof data === 'string' ? channel.sendMessage(data) : channel.sendMessageBinary(data)),
		buffered: () => channel.bufferedAmount(),
	});
	channel.onMessage((data) => channels.received(label, data));
}

function described(type: 'offer' | 'answer'): { sdp: string } {
	connection.setLocalDescription(type);
	return { sdp: connection.localDescription().sdp };
}

async function noMedia(): Promise<never> {
	throw new Error('this peer has channels only');
}

const does: Does = {
	async open() {
		connection = new PeerConnection('interop', {
			iceServers: [],
			disableAutoNegotiation: true,
			bindAddress: '127.0.0.1',
		});
		channels = new DataChannels();
		connection.onDataChannel(adopt);
		connection.onLocalCandidate((candidate, sdpMid) => end.oncandidate({ candidate, sdpMid }));
		return {};
	},
	async offer() {
		return described('offer');
	},
	async answer({ sdp }) {
		connection.setRemoteDescription(sdp, 'offer');
		return described('answer');
	},
	async accept({ sdp }) {
		connection.setRemoteDescription(sdp, 'answer');
		return {};
	},
	async candidate({ candidate }) {
		if (candidate?.candidate) connection.addRemoteCandidate(candidate.candidate, candidate.sdpMid ?? '0');
		return {};
	},
	async channel({ label }) {
		adopt(connection.createDataChannel(label));
		return {};
	},
	send: (params) => channels.send(params),
	flood: (params) => channels.flood(params),
	media: noMedia,
	unmedia: noMedia,
	async report() {
		const { connection: state, maxMessageSize } = {
			connection: connection.state(),
			maxMessageSize: connection.maxMessageSize(),
		};
		return { connection: state, maxMessageSize, sent: {}, received: {}, ...channels.report() };
	},
	async close() {
		connection.close();
		return {};
	},
};

const end: End = {
	oncandidate: () => {},
	ask: (what, params) => (does[what] as (params: object) => Promise<never>)(params),
};

await serve(end, versionOf('node-datachannel'));
