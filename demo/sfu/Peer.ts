import type { types } from 'mediasoup';
import type { types as client } from 'mediasoup-client';
import type { Answered, Asked, ChannelInfo, Events, Found, MediaInfo, PeerInfo, RequestName } from '../signalling.ts';
import { LIMITS } from './limits.ts';

export type Tell = <E extends keyof Events>(event: E, message: Events[E]) => void;

/** How a peer reaches the room and those in it that its doings concern. */
export interface Surroundings {
	tell: Tell;
	tellOthers: Tell;
	/** To the peer that has this data producer. */
	tellOwner: <E extends keyof Events>(dataProducerId: string, event: E, message: Events[E]) => void;
	enter: () => Found;
}

/** All requests but `join`: what a peer in a room may ask. */
export type PeerRequests = {
	[N in Exclude<RequestName, 'join'>]: (request: Asked<N>) => Promise<Answered<N>>;
};

/** One participant: its transports, what it sends and what it receives. Its methods are named as the requests are. */
export class Peer implements PeerRequests {
	readonly info: PeerInfo;
	readonly tell: Tell;
	readonly #router: types.Router;
	readonly #server: types.WebRtcServer;
	readonly #surroundings: Surroundings;
	readonly #transports = new Map<string, types.WebRtcTransport>();
	readonly #producers = new Map<string, types.Producer>();
	readonly #dataProducers = new Map<string, types.DataProducer>();
	readonly #consumers = new Map<string, types.Consumer>();
	readonly #dataConsumers = new Map<string, types.DataConsumer>();

	#closed = false;

	constructor(info: PeerInfo, router: types.Router, server: types.WebRtcServer, surroundings: Surroundings) {
		this.info = info;
		this.tell = surroundings.tell;
		this.#router = router;
		this.#server = server;
		this.#surroundings = surroundings;
	}

	media(): MediaInfo[] {
		return [...this.#producers.values()].map((producer) => this.#mediaInfo(producer));
	}

	channels(): ChannelInfo[] {
		return [...this.#dataProducers.values()].map((dataProducer) => this.#channelInfo(dataProducer));
	}

	ownsChannel(dataProducerId: string): boolean {
		return this.#dataProducers.has(dataProducerId);
	}

	/** Producers and consumers end with their transports, here and at the other peers. */
	close(): void {
		this.#closed = true;
		for (const transport of this.#transports.values()) transport.close();
	}

	async enter(): Promise<Found> {
		return this.#surroundings.enter();
	}

	async createTransport(): Promise<Answered<'createTransport'>> {
		bound(this.#transports, LIMITS.transportsOfPeer, 'transports');
		const transport = await this.#router.createWebRtcTransport({
			webRtcServer: this.#server,
			preferUdp: true,
			enableSctp: true,
			maxSendMessageSize: LIMITS.messageBytes,
			maxReceiveMessageSize: LIMITS.messageBytes,
		});
		keep(this.#transports, transport);
		transport.observer.once('close', () => {
			if (!this.#closed) this.tell('transportClosed', { transportId: transport.id });
		});
		const { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters } = transport;
		return { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters };
	}

	async connectTransport({ transportId, dtlsParameters }: Asked<'connectTransport'>): Promise<undefined> {
		await find(this.#transports, transportId, 'transport').connect({ dtlsParameters });
	}

	restartIce({ transportId }: Asked<'restartIce'>): Promise<Answered<'restartIce'>> {
		return find(this.#transports, transportId, 'transport').restartIce();
	}

	async produce({ transportId, kind, rtpParameters }: Asked<'produce'>): Promise<{ id: string }> {
		bound(this.#producers, LIMITS.producersOfPeer, 'producers');
		const producer = await find(this.#transports, transportId, 'transport').produce({ kind, rtpParameters });
		keep(this.#producers, producer);
		this.#surroundings.tellOthers('mediaAdded', this.#mediaInfo(producer));
		return { id: producer.id };
	}

	async produceData(request: Asked<'produceData'>): Promise<{ id: string }> {
		bound(this.#dataProducers, LIMITS.dataProducersOfPeer, 'data producers');
		const { transportId, sctpStreamParameters, label } = request;
		const transport = find(this.#transports, transportId, 'transport');
		const dataProducer = await transport.produceData({
			sctpStreamParameters: sctpStreamParameters as types.SctpStreamParameters,
			label,
		});
		keep(this.#dataProducers, dataProducer);
		this.#surroundings.tellOthers('channelAdded', this.#channelInfo(dataProducer));
		return { id: dataProducer.id };
	}

	async consume({ transportId, producerId, rtpCapabilities }: Asked<'consume'>): Promise<Answered<'consume'>> {
		const transport = find(this.#transports, transportId, 'transport');
		const consumer = await transport.consume({ producerId, rtpCapabilities, paused: true });
		const { id: consumerId, kind, rtpParameters, producerPaused } = consumer;
		keep(this.#consumers, consumer);
		consumer.on('producerclose', () => this.tell('consumerClosed', { consumerId }));
		consumer.on('producerpause', () => this.tell('consumerPaused', { consumerId }));
		consumer.on('producerresume', () => this.tell('consumerResumed', { consumerId }));
		return { id: consumerId, producerId, kind, rtpParameters: toClient(rtpParameters), paused: producerPaused };
	}

	async consumeData({ transportId, dataProducerId }: Asked<'consumeData'>): Promise<Answered<'consumeData'>> {
		const transport = find(this.#transports, transportId, 'transport');
		const dataConsumer = await transport.consumeData({ dataProducerId, paused: true });
		const { id: dataConsumerId, sctpStreamParameters, label, protocol } = dataConsumer;
		keep(this.#dataConsumers, dataConsumer);
		dataConsumer.on('dataproducerclose', () => this.tell('dataConsumerClosed', { dataConsumerId }));
		return { id: dataConsumerId, dataProducerId, sctpStreamParameters: sctpStreamParameters!, label, protocol };
	}

	async resumeConsumer({ consumerId }: Asked<'resumeConsumer'>): Promise<undefined> {
		await find(this.#consumers, consumerId, 'consumer').resume();
	}

	async resumeDataConsumer({ dataConsumerId }: Asked<'resumeDataConsumer'>): Promise<undefined> {
		const dataConsumer = find(this.#dataConsumers, dataConsumerId, 'data consumer');
		await dataConsumer.resume();
		const { dataProducerId, label } = dataConsumer;
		this.#surroundings.tellOwner(dataProducerId, 'listening', { label, peerId: this.info.id });
	}

	async pauseProducer({ producerId }: Asked<'pauseProducer'>): Promise<undefined> {
		await find(this.#producers, producerId, 'producer').pause();
	}

	async resumeProducer({ producerId }: Asked<'resumeProducer'>): Promise<undefined> {
		await find(this.#producers, producerId, 'producer').resume();
	}

	async closeProducer({ producerId }: Asked<'closeProducer'>): Promise<undefined> {
		find(this.#producers, producerId, 'producer').close();
	}

	async closeDataProducer({ dataProducerId }: Asked<'closeDataProducer'>): Promise<undefined> {
		find(this.#dataProducers, dataProducerId, 'data producer').close();
	}

	#mediaInfo({ id, kind }: types.Producer): MediaInfo {
		return { peerId: this.info.id, producerId: id, kind };
	}

	#channelInfo({ id, label }: types.DataProducer): ChannelInfo {
		return { peerId: this.info.id, dataProducerId: id, label };
	}
}

/** mediasoup knows more header extensions than mediasoup-client names; otherwise their types are the same. */
function toClient(parameters: types.RtpParameters): client.RtpParameters {
	return parameters as client.RtpParameters;
}

interface Closable {
	id: string;
	observer: { once(event: 'close', listener: () => void): unknown };
}

/** Keeps an object until it closes, whoever closes it. */
function keep<T extends Closable>(kept: Map<string, T>, object: T): void {
	kept.set(object.id, object);
	object.observer.once('close', () => kept.delete(object.id));
}

function find<T>(kept: Map<string, T>, id: string, what: string): T {
	const object = kept.get(id);
	if (!object) throw new Error(`there is no ${what} ${id} of this peer`);
	return object;
}

function bound(kept: Map<string, unknown>, limit: number, what: string): void {
	if (kept.size >= limit) throw new Error(`a peer has at most ${limit} ${what}`);
}
