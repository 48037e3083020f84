/** An end of a connection in the terms of the W3C: the shim's in Node, a browser's in its page, a module's in Node. */
import type { Asks, Does, Heard, Kind, Message, Report, Seen, VideoCodec } from '../driver/protocol.ts';

/** The classes of an implementation, and what the W3C leaves to the platform. */
export interface Platform {
	readonly RTCPeerConnection: typeof RTCPeerConnection;
	readonly RTCRtpReceiver: typeof RTCRtpReceiver;
	readonly MediaStream: typeof MediaStream;
	/** A new track with a tone or a moving picture. */
	source(kind: Kind): MediaStreamTrack | Promise<MediaStreamTrack>;
	watch(track: MediaStreamTrack, connection: RTCPeerConnection): Watcher;
	digest(bytes: Uint8Array<ArrayBuffer>): string | Promise<string>;
}

/** Reads a track until it ends. */
export interface Watcher {
	read(): Promise<Heard | Seen>;
	stop(): void;
}

/** Bytes in a channel's buffer past which a flood waits; half of them let it go on. */
const HIGH = 1 << 20;

interface Open {
	readonly connection: RTCPeerConnection;
	readonly channels: Map<string, RTCDataChannel>;
	readonly messages: Message[];
	readonly flood: { count: number; bytes: number };
	readonly sources: MediaStreamTrack[];
	readonly watchers: Map<string, Watcher>;
	/** Digests take their time: the chain keeps the order of messages. */
	digested: Promise<void>;
}

export class W3cEnd {
	oncandidate: (candidate: RTCIceCandidateInit | null) => void = () => {};
	readonly #platform: Platform;
	readonly #configuration: RTCConfiguration;
	#open!: Open;

	constructor(platform: Platform, configuration: RTCConfiguration = {}) {
		this.#platform = platform;
		this.#configuration = configuration;
	}

	ask<A extends keyof Asks>(what: A, params: Asks[A]['in']): Promise<Asks[A]['out']> {
		const does = this.#does[what] as (params: Asks[A]['in']) => Promise<Asks[A]['out']>;
		return does(params);
	}

	get connection(): RTCPeerConnection {
		return this.#open.connection;
	}

	readonly #does: Does = {
		open: async () => {
			const connection = new this.#platform.RTCPeerConnection(this.#configuration);
			this.#open = {
				connection,
				channels: new Map(),
				messages: [],
				flood: { count: 0, bytes: 0 },
				sources: [],
				watchers: new Map(),
				digested: Promise.resolve(),
			};
			connection.onicecandidate = ({ candidate }) => this.oncandidate(candidate?.toJSON() ?? null);
			connection.ondatachannel = ({ channel }) => this.#adopt(channel);
			connection.ontrack = ({ track }) => {
				this.#open.watchers.get(track.kind)?.stop();
				this.#open.watchers.set(track.kind, this.#platform.watch(track, connection));
			};
			return {};
		},
		offer: async ({ restart }) => {
			if (restart) this.connection.restartIce();
			await this.connection.setLocalDescription(await this.connection.createOffer());
			return { sdp: this.connection.localDescription!.sdp };
		},
		answer: async ({ sdp }) => {
			await this.connection.setRemoteDescription({ type: 'offer', sdp });
			await this.connection.setLocalDescription(await this.connection.createAnswer());
			return { sdp: this.connection.localDescription!.sdp };
		},
		accept: async ({ sdp }) => {
			await this.connection.setRemoteDescription({ type: 'answer', sdp });
			return {};
		},
		candidate: async ({ candidate }) => {
			await this.connection.addIceCandidate(candidate ?? undefined);
			return {};
		},
		channel: async ({ label }) => {
			this.#adopt(this.connection.createDataChannel(label));
			return {};
		},
		send: async ({ label, text, base64 }) => {
			const channel = this.#open.channels.get(label)!;
			if (text !== undefined) channel.send(text);
			else channel.send(Uint8Array.from(atob(base64!), (letter) => letter.charCodeAt(0)));
			return {};
		},
		flood: async ({ label, count, bytes }) => {
			const channel = this.#open.channels.get(label)!;
			channel.bufferedAmountLowThreshold = HIGH / 2;
			const message = new Uint8Array(bytes);
			for (let sent = 0; sent < count; sent++) {
				while (channel.bufferedAmount > HIGH) await drained(channel);
				channel.send(message);
			}
			return {};
		},
		media: async ({ kind, codec }) => {
			const track = await this.#platform.source(kind);
			this.#open.sources.push(track);
			const sender = this.connection.addTrack(track, new this.#platform.MediaStream([track]));
			if (codec) this.#prefer(sender, codec);
			return {};
		},
		unmedia: async ({ kind }) => {
			const sender = this.connection.getSenders().find(({ track }) => track?.kind === kind)!;
			sender.track!.stop();
			this.connection.removeTrack(sender);
			return {};
		},
		report: () => this.#report(),
		close: async () => {
			for (const watcher of this.#open.watchers.values()) watcher.stop();
			for (const track of this.#open.sources) track.stop();
			this.connection.close();
			return {};
		},
	};

	#prefer(sender: RTCRtpSender, codec: VideoCodec): void {
		const transceiver = this.connection.getTransceivers().find((candidate) => candidate.sender === sender)!;
		const known = this.#platform.RTCRtpReceiver.getCapabilities?.('video')?.codecs;
		// An implementation that cannot tell its codecs has one.
		if (!known) return;
		transceiver.setCodecPreferences(known.filter(({ mimeType }) => mimeType === `video/${codec}`));
	}

	#adopt(channel: RTCDataChannel): void {
		const open = this.#open;
		channel.binaryType = 'arraybuffer';
		open.channels.set(channel.label, channel);
		channel.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
			const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data);
			if (channel.label === 'flood') {
				open.flood.count++;
				open.flood.bytes += bytes.length;
				return;
			}
			open.digested = open.digested.then(async () => {
				const digest = await this.#platform.digest(bytes);
				const type = typeof data === 'string' ? 'text' : 'binary';
				open.messages.push({ label: channel.label, type, bytes: bytes.length, digest });
			});
		};
	}

	async #report(): Promise<Report> {
		const { channels, messages, flood, watchers } = this.#open;
		const report: Report = {
			connection: this.connection.connectionState,
			channels: Object.fromEntries([...channels].map(([label, { readyState }]) => [label, readyState])),
			messages,
			flood,
			maxMessageSize: this.connection.sctp?.maxMessageSize,
			sent: {},
			received: {},
			heard: (await watchers.get('audio')?.read()) as Heard | undefined,
			seen: (await watchers.get('video')?.read()) as Seen | undefined,
		};
		// A closed connection has statistics in some implementations and throws in others.
		if (report.connection !== 'closed') readStats(await this.connection.getStats(), report);
		return report;
	}
}

/** The event where there is one; not every implementation has it. */
function drained(channel: RTCDataChannel): Promise<void> {
	return new Promise((resolve) => {
		channel.onbufferedamountlow = () => resolve();
		setTimeout(resolve, 20);
	});
}

interface Stat {
	type: string;
	kind?: Kind;
	packetsSent?: number;
	framesSent?: number;
	packetsReceived?: number;
	framesReceived?: number;
	framesDecoded?: number;
	selectedCandidatePairId?: string;
	localCandidateId?: string;
	candidateType?: string;
}

function readStats(stats: RTCStatsReport, report: Report): void {
	stats.forEach((stat: Stat) => {
		if (stat.type === 'outbound-rtp') {
			if (stat.kind === 'audio') report.sent.audio = stat.packetsSent;
			else report.sent.video = stat.framesSent;
		}
		if (stat.type === 'inbound-rtp') {
			if (stat.kind === 'audio') report.received.audio = stat.packetsReceived;
			else report.received.video = stat.framesReceived ?? stat.framesDecoded;
		}
		if (stat.type === 'transport' && stat.selectedCandidatePairId) {
			const pair = stats.get(stat.selectedCandidatePairId) as Stat | undefined;
			const local = stats.get(pair?.localCandidateId ?? '') as Stat | undefined;
			report.localCandidateType = local?.candidateType;
		}
	});
}
