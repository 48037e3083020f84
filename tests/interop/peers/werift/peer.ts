/** werift's end: WebRTC in TypeScript. It has no codecs: it sends what is encoded already, and records what comes. */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Does, End, Kind, Report } from '../../driver/protocol.ts';
import { DataChannels } from '../DataChannels.ts';
import { load, versionOf } from '../load.ts';
import { serve } from '../serve.ts';
import { packetize } from './packetize.ts';

interface Codec {
	mimeType: string;
}

interface RtpHeader {
	marker: boolean;
	sequenceNumber: number;
	timestamp: number;
	payloadType: number;
	ssrc: number;
}

interface RtpPacket {
	header: RtpHeader;
	payload: Buffer;
	serialize(): Buffer;
}

interface Event<A extends unknown[]> {
	subscribe(take: (...args: A) => void): void;
}

interface Track {
	kind: Kind;
	codec?: Codec;
	onReceiveRtp: Event<[RtpPacket]>;
	writeRtp(packet: RtpPacket): void;
	stop(): void;
}

interface Sender {
	track?: Track | null;
}

interface NativeChannel {
	label: string;
	readyState: string;
	bufferedAmount: number;
	onMessage: Event<[string | Buffer]>;
	send(data: string | Buffer): void;
}

interface Description {
	type: 'offer' | 'answer';
	sdp: string;
}

interface NativeConnection {
	connectionState: string;
	sctp: { maxMessageSize?: number } | null;
	localDescription: Description;
	onDataChannel: Event<[NativeChannel]>;
	onIceCandidate: Event<[{ toJSON(): RTCIceCandidateInit } | undefined]>;
	onTrack: Event<[Track]>;
	createDataChannel(label: string): NativeChannel;
	createOffer(): Promise<Description>;
	createAnswer(): Promise<Description>;
	setLocalDescription(description: Description | { type: 'rollback' }): Promise<unknown>;
	setRemoteDescription(description: Description): Promise<unknown>;
	addIceCandidate(candidate: RTCIceCandidateInit | null): Promise<void>;
	addTrack(track: Track): Sender;
	removeTrack(sender: Sender): void;
	getSenders(): Sender[];
	getTransceivers(): { sender: Sender; setCodecPreferences(codecs: object[]): void }[];
	signalingState: string;
	restartIce(): void;
	close(): Promise<void>;
}

const werift = load('werift') as {
	RTCPeerConnection: new (options: object) => NativeConnection;
	MediaStreamTrack: new (options: { kind: Kind }) => Track;
	RtpPacket: new (header: object, payload: Buffer) => RtpPacket;
	RtpHeader: new (fields: Partial<RtpHeader>) => RtpHeader;
	dePacketizeRtpPackets(codec: string, packets: RtpPacket[]): { data: Buffer };
	useVP8(): object;
	useH264(): object;
	useOPUS(): object;
};

const MEDIA = process.env.INTEROP_MEDIA!;
const CLOCK = { opus: 48_000, VP8: 90_000, H264: 90_000 };
type Name = keyof typeof CLOCK;
/** By the names of Matroska. */
const DEPACKETIZERS: Partial<Record<Name, string>> = { VP8: 'VP8', H264: 'MPEG4/ISO/AVC' };

let connection: NativeConnection;
let channels: DataChannels;
let video: Name = 'VP8';
let counts: { sent: Report['sent']; received: Report['received'] };
let recordings: NonNullable<Report['recordings']>;
let timers: NodeJS.Timeout[] = [];
let files: number[] = [];
let opened = 0;

function adopt(channel: NativeChannel): void {
	channels.add(channel.label, {
		state: () => channel.readyState,
		send: (data) => channel.send(data),
		buffered: () => channel.bufferedAmount,
	});
	channel.onMessage.subscribe((data) => channels.received(channel.label, data));
}

function readRecords(name: Name): Buffer[] {
	const all = readFileSync(join(MEDIA, `${name.toLowerCase()}.rec`));
	const records: Buffer[] = [];
	for (let at = 0; at < all.length; at += 4 + all.readUInt32LE(at)) {
		records.push(all.subarray(at + 4, at + 4 + all.readUInt32LE(at)));
	}
	return records;
}

/** Of video, one codec is negotiated: the one that the scenario wants. */
function prefer(sender: Sender, name: Name): void {
	const transceiver = connection.getTransceivers().find((candidate) => candidate.sender === sender)!;
	transceiver.setCodecPreferences([name === 'H264' ? werift.useH264() : werift.useVP8()]);
}

/** From a keyframe on, once somebody can receive it. */
function play(track: Track, name: Name): void {
	const records = readRecords(name);
	const perSecond = name === 'opus' ? 50 : 30;
	let [at, sequenceNumber] = [0, 0];
	const started = performance.now();
	timers.push(
		setInterval(() => {
			if (connection.connectionState !== 'connected') return;
			// Timers are late: what is due by now is sent.
			while ((at * 1_000) / perSecond < performance.now() - started) {
				const timestamp = Math.round((at * CLOCK[name]) / perSecond);
				const payloads = packetize(name, records[at++ % records.length]!);
				for (const [index, payload] of payloads.entries()) {
					const marker = index === payloads.length - 1;
					sequenceNumber = (sequenceNumber + 1) & 0xffff;
					const header = new werift.RtpHeader({ marker, timestamp, sequenceNumber, payloadType: 96, ssrc: 1 });
					track.writeRtp(new werift.RtpPacket(header, payload));
				}
				counts.sent[track.kind] = (counts.sent[track.kind] ?? 0) + 1;
			}
		}, 10),
	);
}

function recordTrack(track: Track): void {
	const path = join(MEDIA, `werift-${process.pid}-${opened}-${track.kind}-${files.length}.rec`);
	const file = openSync(path, 'w');
	files.push(file);
	recordings[track.kind] = path;
	if (track.kind === 'video') recordings.codec = video;
	const name: Name = track.kind === 'audio' ? 'opus' : video;
	let frame: RtpPacket[] = [];
	track.onReceiveRtp.subscribe((packet) => {
		frame.push(packet);
		if (track.kind === 'video' && !packet.header.marker) return;
		const data = name === 'opus' ? packet.payload : werift.dePacketizeRtpPackets(DEPACKETIZERS[name]!, frame).data;
		frame = [];
		const length = Buffer.alloc(4);
		length.writeUInt32LE(data.length);
		writeSync(file, Buffer.concat([length, data]));
		counts.received[track.kind] = (counts.received[track.kind] ?? 0) + 1;
	});
}

const does: Does = {
	async open() {
		counts = { sent: {}, received: {} };
		recordings = {};
		channels = new DataChannels();
		opened++;
		connection = new werift.RTCPeerConnection({
			iceServers: [],
			iceInterfaceAddresses: { udp4: '127.0.0.1' },
			iceAdditionalHostAddresses: ['127.0.0.1'],
			codecs: { audio: [werift.useOPUS()], video: [werift.useVP8(), werift.useH264()] },
		});
		connection.onDataChannel.subscribe(adopt);
		connection.onIceCandidate.subscribe((candidate) => end.oncandidate(candidate?.toJSON() ?? null));
		connection.onTrack.subscribe(recordTrack);
		return {};
	},
	async offer({ restart }) {
		if (restart) connection.restartIce();
		await connection.setLocalDescription(await connection.createOffer());
		return { sdp: connection.localDescription.sdp };
	},
	async answer({ sdp }) {
		if (connection.signalingState === 'have-local-offer') await connection.setLocalDescription({ type: 'rollback' });
		await connection.setRemoteDescription({ type: 'offer', sdp });
		await connection.setLocalDescription(await connection.createAnswer());
		return { sdp: connection.localDescription.sdp };
	},
	async accept({ sdp }) {
		await connection.setRemoteDescription({ type: 'answer', sdp });
		return {};
	},
	async candidate({ candidate }) {
		await connection.addIceCandidate(candidate);
		return {};
	},
	async channel({ label }) {
		adopt(connection.createDataChannel(label));
		return {};
	},
	send: (params) => channels.send(params),
	flood: (params) => channels.flood(params),
	async media({ kind, codec = 'VP8' }) {
		const name: Name = kind === 'audio' ? 'opus' : codec;
		if (kind === 'video') video = name;
		const track = new werift.MediaStreamTrack({ kind });
		const sender = connection.addTrack(track);
		if (kind === 'video') prefer(sender, name);
		play(track, name);
		return {};
	},
	async unmedia({ kind }) {
		const sender = connection.getSenders().find(({ track }) => track?.kind === kind)!;
		connection.removeTrack(sender);
		return {};
	},
	async report() {
		const { connectionState, sctp } = connection;
		return {
			connection: connectionState,
			maxMessageSize: sctp?.maxMessageSize,
			recordings,
			...counts,
			...channels.report(),
		};
	},
	async close() {
		for (const timer of timers) clearInterval(timer);
		timers = [];
		await connection.close();
		for (const file of files) closeSync(file);
		files = [];
		return {};
	},
};

const end: End = {
	oncandidate: () => {},
	ask: (what, params) => (does[what] as (params: object) => Promise<never>)(params),
};

await serve(end, versionOf('werift'));
