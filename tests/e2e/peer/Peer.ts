/** One end of a call, as any application would write it: the same code runs in Node over the shim and in a page. */
import { type Receipt, receiptOf } from '../../../demo/receipts.ts';

export interface PeerOptions {
	/** Each candidate as it is found; without it the descriptions carry them all. */
	onCandidate?: (candidate: RTCIceCandidateInit | null) => void;
}

export class Peer {
	readonly connection = new RTCPeerConnection();
	/** The peer's tracks, by kind. */
	readonly remote = new Map<string, MediaStreamTrack>();
	readonly received: Receipt[] = [];
	/** Events at the end of the channel. */
	readonly #ends: string[] = [];
	readonly #trickles: boolean;
	/** Candidates may overtake the description that they belong to: they wait for it. */
	readonly #described: Promise<void>;
	#ondescribed = () => {};
	/** The offerer's is its own; the answerer's comes when it is connected. */
	readonly #channel: Promise<RTCDataChannel>;
	#onchannel: (channel: RTCDataChannel) => void = () => {};

	constructor({ onCandidate }: PeerOptions) {
		this.#trickles = onCandidate !== undefined;
		this.#described = new Promise((resolve) => {
			this.#ondescribed = resolve;
		});
		this.#channel = new Promise((resolve) => {
			this.#onchannel = resolve;
		});
		this.connection.onicecandidate = ({ candidate }) => onCandidate?.(candidate?.toJSON() ?? null);
		this.connection.ontrack = ({ track }) => this.remote.set(track.kind, track);
		this.connection.ondatachannel = ({ channel }) => this.#use(channel);
	}

	openChannel(): void {
		this.#use(this.connection.createDataChannel('data'));
	}

	/** Sends a track to come; the answerer's goes the other way of the offerer's section. */
	add(track: MediaStreamTrack, codec?: string): void {
		const sender = this.connection.addTrack(track, new MediaStream([track]));
		if (!codec) return;
		const transceiver = this.connection.getTransceivers().find((candidate) => candidate.sender === sender)!;
		const known = RTCRtpReceiver.getCapabilities('video')!.codecs;
		transceiver.setCodecPreferences(known.filter(({ mimeType }) => mimeType === codec));
	}

	async offer(): Promise<RTCSessionDescriptionInit> {
		await this.connection.setLocalDescription(await this.connection.createOffer());
		return this.#local();
	}

	async answer(offer: RTCSessionDescriptionInit): Promise<RTCSessionDescriptionInit> {
		await this.#describe(offer);
		await this.connection.setLocalDescription(await this.connection.createAnswer());
		return this.#local();
	}

	async accept(answer: RTCSessionDescriptionInit): Promise<void> {
		await this.#describe(answer);
	}

	async addCandidate(candidate: RTCIceCandidateInit | null): Promise<void> {
		await this.#described;
		await this.connection.addIceCandidate(candidate ?? undefined);
	}

	/** Sends a text and a binary message of each size; resolves with what was sent. */
	async say(sizes: readonly number[]): Promise<Receipt[]> {
		const channel = await this.#channel;
		if (channel.readyState !== 'open') await new Promise((resolve) => channel.addEventListener('open', resolve));
		const messages = sizes.flatMap((size) => ['x'.repeat(size), new Uint8Array(size).map((_, index) => index)]);
		// send() has an overload for each type; this is one of them at a time.
		for (const message of messages) channel.send(message as string);
		return Promise.all(messages.map((message) => receiptOf(message, '')));
	}

	/** Sends a file in pieces with a text before every eighth, as the channel takes them; resolves with what was sent. */
	async sendFile(pieces: number, size: number): Promise<Receipt[]> {
		const channel = await this.#channel;
		channel.bufferedAmountLowThreshold = 256 * 1024;
		const receipts: Promise<Receipt>[] = [];
		const send = (message: string | Uint8Array<ArrayBuffer>) => {
			channel.send(message as string);
			receipts.push(receiptOf(message, ''));
		};
		for (let piece = 0; piece < pieces; piece++) {
			if (channel.bufferedAmount > 1 << 20) {
				await new Promise((resolve) => channel.addEventListener('bufferedamountlow', resolve, { once: true }));
			}
			if (piece % 8 === 0) send(`${(100 * piece) / pieces} % of the file 📁`);
			send(new Uint8Array(size).map((_, index) => index * 31 + piece * 7));
		}
		return Promise.all(receipts);
	}

	close(): void {
		this.connection.close();
	}

	/** What is seen of the other's close() within 4 s, before consent checks notice it: the channel's events, and states. */
	async ended(): Promise<string[]> {
		const { connection } = this;
		const { transport } = connection.sctp!;
		const isOver = () => transport.state === 'closed' && this.#ends.includes('close');
		for (let waited = 0; waited < 4_000 && !isOver(); waited += 10)
			await new Promise((resolve) => setTimeout(resolve, 10));
		return [...this.#ends, `DTLS ${transport.state}`, `ICE ${connection.iceConnectionState}`];
	}

	async #describe(description: RTCSessionDescriptionInit): Promise<void> {
		await this.connection.setRemoteDescription(description);
		this.#ondescribed();
	}

	#use(channel: RTCDataChannel): void {
		channel.binaryType = 'arraybuffer';
		// Digests take their time: the chain keeps the messages' order.
		let last = Promise.resolve();
		channel.onmessage = ({ data }) => {
			last = last.then(async () => {
				this.received.push(await receiptOf(data, ''));
			});
		};
		for (const type of ['closing', 'error', 'close']) channel.addEventListener(type, () => this.#ends.push(type));
		this.#onchannel(channel);
	}

	async #local(): Promise<RTCSessionDescriptionInit> {
		const { connection } = this;
		if (!this.#trickles && connection.iceGatheringState !== 'complete') {
			await new Promise<void>((resolve) => {
				connection.addEventListener('icegatheringstatechange', () => {
					if (connection.iceGatheringState === 'complete') resolve();
				});
			});
		}
		return connection.localDescription!.toJSON();
	}
}
