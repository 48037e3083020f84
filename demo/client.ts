/** A room's client: mediasoup-client and socket.io-client as anyone would write it, for a program and for a page. */
import { Device, type types } from 'mediasoup-client';
import { io, type Socket } from 'socket.io-client';
import { Path, type Standing, worstOf } from './Path.ts';
import type {
	Answer,
	Answered,
	Asked,
	ChannelInfo,
	ClientToServer,
	Found,
	MediaInfo,
	PeerInfo,
	RequestName,
	ServerToClient,
} from './signalling.ts';

/** A track that a peer of the room sends us. */
export interface RemoteMedia {
	peer: PeerInfo;
	track: MediaStreamTrack;
	/** What the room calls it; its sender knows it by the same id. */
	producerId: string;
	/** 'audio/opus', 'video/VP8' … */
	mimeType: string;
}

export interface RoomListener {
	onPeer?(peer: PeerInfo): void;
	onPeerLeft?(peer: PeerInfo): void;
	onMedia?(media: RemoteMedia): void;
	onMediaEnded?(media: RemoteMedia): void;
	onMessage?(data: string | ArrayBuffer, label: string, peer: PeerInfo): void;
	/** This peer hears our channel from now on. */
	onListening?(label: string, peer: PeerInfo): void;
	/** How the connection to the SFU stands; what is interrupted is being restored. */
	onStanding?(standing: Standing): void;
	/** The room is lost: the server went away, or put us out. Nothing is told after it. */
	onLost?(reason: string): void;
	onError?(error: Error): void;
}

export interface JoinOptions {
	/** The demo's server. */
	url: string;
	room: string;
	name: string;
	bot: boolean;
}

const ANSWER_TIMEOUT = 15_000;

export class Room {
	/** Enters a room; who and what is there is told to the listener. */
	static async join(options: JoinOptions, listener: RoomListener): Promise<Room> {
		// A lost socket is a lost peer: its transports are gone at the server, so there is nothing to reconnect to.
		const socket: RoomSocket = io(options.url, { transports: ['websocket'], reconnection: false });
		try {
			await connected(socket);
			return await Room.#enter(socket, options, listener);
		} catch (error) {
			socket.disconnect();
			throw error;
		}
	}

	static async #enter(socket: RoomSocket, { room, name, bot }: JoinOptions, listener: RoomListener): Promise<Room> {
		const device = new Device();
		await device.load(await request(socket, 'join', { room, name, bot }));
		const [send, receive] = await Promise.all([
			request(socket, 'createTransport', {}),
			request(socket, 'createTransport', {}),
		]);
		const entered = new Room(socket, device, device.createSendTransport(send), device.createRecvTransport(receive));
		// Told from here on, and by what it finds of what was before: nothing is missed.
		entered.#listen(listener);
		entered.#meet(await request(socket, 'enter', {}));
		return entered;
	}

	/** What the room calls us. */
	readonly peerId: string;
	readonly #socket: RoomSocket;
	readonly #device: Device;
	readonly #send: types.Transport;
	readonly #receive: types.Transport;
	readonly #paths: readonly Path[];
	readonly #peers = new Map<string, PeerInfo>();
	readonly #consumers = new Map<string, types.Consumer>();
	readonly #dataConsumers = new Map<string, types.DataConsumer>();
	/** Consumers whose end was told before their beginning was through. */
	readonly #gone = new Set<string>();
	#listener: RoomListener = {};

	private constructor(socket: RoomSocket, device: Device, send: types.Transport, receive: types.Transport) {
		// socket.io gives both ends the same id, and the room takes it.
		this.peerId = socket.id!;
		this.#socket = socket;
		this.#device = device;
		this.#send = send;
		this.#receive = receive;
		this.#paths = [send, receive].map((transport) => this.#connect(transport));
		this.#offer(send);
	}

	/** mediasoup-client's name of how WebRTC is done here. */
	get handlerName(): string {
		return this.#device.handlerName;
	}

	/**
	 * Sends a track, which stays the caller's to stop.
	 *
	 * @param codec 'VP8', 'H264': which of the room's codecs; the first that both ends know when left out
	 */
	publish(track: MediaStreamTrack, codec?: string): Promise<types.Producer> {
		const mimeType = `${track.kind}/${codec}`.toLowerCase();
		const chosen = this.#device.sendRtpCapabilities.codecs?.find((item) => item.mimeType.toLowerCase() === mimeType);
		if (codec && !chosen) throw new Error(`the room has no ${codec}`);
		return this.#send.produce({ track, codec: chosen, stopTracks: false });
	}

	async unpublish(producer: types.Producer): Promise<void> {
		producer.close();
		await this.#request('closeProducer', { producerId: producer.id });
	}

	/** A channel to everyone in the room; resolves when it is open, rejects when the room is left before. */
	async openChannel(label: string): Promise<types.DataProducer> {
		const channel = await this.#send.produceData({ label });
		if (channel.readyState === 'open') return channel;
		return new Promise((resolve, reject) => {
			channel.once('open', () => resolve(channel));
			channel.observer.once('close', () => reject(new Error(`the channel ${label} closed before it was open`)));
		});
	}

	/** The statistics of what is sent and of what is received, in this order. */
	getStats(): Promise<RTCStatsReport[]> {
		return Promise.all([this.#send.getStats(), this.#receive.getStats()]);
	}

	leave(): void {
		// What ends now ends because we leave: nobody is to hear of it.
		this.#listener = {};
		this.#send.close();
		this.#receive.close();
		this.#socket.disconnect();
	}

	#listen(listener: RoomListener): void {
		this.#listener = listener;
		const socket = this.#socket;
		socket.on('peerJoined', (peer) => this.#addPeer(peer));
		socket.on('peerLeft', ({ peerId }) => this.#removePeer(peerId));
		socket.on('mediaAdded', (media) => this.#guard(this.#consume(media)));
		socket.on('channelAdded', (channel) => this.#guard(this.#consumeData(channel)));
		socket.on('consumerClosed', ({ consumerId }) => this.#endConsumer(consumerId));
		socket.on('dataConsumerClosed', ({ dataConsumerId }) => this.#endConsumer(dataConsumerId));
		socket.on('consumerPaused', ({ consumerId }) => this.#consumers.get(consumerId)?.pause());
		socket.on('consumerResumed', ({ consumerId }) => this.#consumers.get(consumerId)?.resume());
		socket.on('listening', ({ label, peerId }) => this.#listener.onListening?.(label, this.#peer(peerId)));
		socket.on('transportClosed', () => this.#lose('the SFU closed the connection'));
		socket.on('disconnect', (reason) => this.#lose(reason));
	}

	#lose(reason: string): void {
		const { onLost } = this.#listener;
		this.leave();
		onLost?.(reason);
	}

	#meet({ peers, media, channels }: Found): void {
		for (const peer of peers) this.#addPeer(peer);
		for (const item of media) this.#guard(this.#consume(item));
		for (const channel of channels) this.#guard(this.#consumeData(channel));
	}

	#connect(transport: types.Transport): Path {
		const transportId = transport.id;
		transport.on('connect', ({ dtlsParameters }, resolve, reject) => {
			this.#request('connectTransport', { transportId, dtlsParameters }).then(resolve, reject);
		});
		return new Path(
			transport,
			() => this.#request('restartIce', { transportId }),
			() => this.#onstanding(),
		);
	}

	#onstanding(): void {
		const standing = worstOf(this.#paths.map((path) => path.standing));
		if (standing === 'lost') this.#lose('the connection to the SFU could not be restored');
		else this.#listener.onStanding?.(standing);
	}

	#offer(transport: types.Transport): void {
		const transportId = transport.id;
		transport.on('produce', ({ kind, rtpParameters }, resolve, reject) => {
			this.#request('produce', { transportId, kind, rtpParameters }).then(resolve, reject);
		});
		transport.on('producedata', ({ sctpStreamParameters, label = '' }, resolve, reject) => {
			this.#request('produceData', { transportId, sctpStreamParameters, label }).then(resolve, reject);
		});
	}

	async #consume({ producerId, peerId }: MediaInfo): Promise<void> {
		const { recvRtpCapabilities: rtpCapabilities } = this.#device;
		const asked = { transportId: this.#receive.id, producerId, rtpCapabilities };
		const { paused, ...options } = await this.#request('consume', asked);
		const consumer = await this.#receive.consume({ ...options, streamId: peerId });
		if (this.#gone.delete(consumer.id)) return consumer.close();
		this.#consumers.set(consumer.id, consumer);
		if (paused) consumer.pause();
		const { track, rtpParameters } = consumer;
		const media = { peer: this.#peer(peerId), track, producerId, mimeType: rtpParameters.codecs[0]!.mimeType };
		consumer.observer.once('close', () => {
			this.#consumers.delete(consumer.id);
			this.#listener.onMediaEnded?.(media);
		});
		this.#listener.onMedia?.(media);
		await this.#request('resumeConsumer', { consumerId: consumer.id });
	}

	async #consumeData({ dataProducerId, peerId, label }: ChannelInfo): Promise<void> {
		const options = await this.#request('consumeData', { transportId: this.#receive.id, dataProducerId });
		const channel = await this.#receive.consumeData(options);
		if (this.#gone.delete(channel.id)) return channel.close();
		this.#dataConsumers.set(channel.id, channel);
		channel.binaryType = 'arraybuffer';
		channel.on('message', (data) =>
			this.#listener.onMessage?.(data as string | ArrayBuffer, label, this.#peer(peerId)),
		);
		channel.observer.once('close', () => this.#dataConsumers.delete(channel.id));
		if (channel.readyState !== 'open') await new Promise<void>((resolve) => channel.once('open', resolve));
		await this.#request('resumeDataConsumer', { dataConsumerId: channel.id });
	}

	#endConsumer(id: string): void {
		const consumer = this.#consumers.get(id) ?? this.#dataConsumers.get(id);
		if (consumer) consumer.close();
		else this.#gone.add(id);
	}

	#addPeer(peer: PeerInfo): void {
		this.#peers.set(peer.id, peer);
		this.#listener.onPeer?.(peer);
	}

	#removePeer(peerId: string): void {
		const peer = this.#peer(peerId);
		this.#peers.delete(peerId);
		this.#listener.onPeerLeft?.(peer);
	}

	#peer(peerId: string): PeerInfo {
		return this.#peers.get(peerId) ?? { id: peerId, name: 'somebody', bot: false };
	}

	#request<N extends RequestName>(name: N, asked: Asked<N>): Promise<Answered<N>> {
		return request(this.#socket, name, asked);
	}

	/** What was started by an event has no caller to reject to. */
	#guard(work: Promise<void>): void {
		work.catch((error: Error) => this.#listener.onError?.(error));
	}
}

type RoomSocket = Socket<ServerToClient, ClientToServer>;

function connected(socket: RoomSocket): Promise<void> {
	return new Promise((resolve, reject) => {
		socket.once('connect', resolve);
		socket.once('connect_error', reject);
	});
}

async function request<N extends RequestName>(socket: RoomSocket, name: N, asked: Asked<N>): Promise<Answered<N>> {
	// socket.io's types do not follow a generic event name.
	const untyped = socket as unknown as Socket;
	const answer: Answer<Answered<N>> = await untyped.timeout(ANSWER_TIMEOUT).emitWithAck(name, asked);
	if ('error' in answer) throw new Error(`${name}: ${answer.error}`);
	return answer.ok;
}
