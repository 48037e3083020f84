import type { types as server } from 'mediasoup';
import { Device, type types } from 'mediasoup-client';
import { connections } from './connections.ts';
import { Relay } from './Relay.ts';

/** The two ends of a transport. */
export interface Link {
	client: types.Transport;
	server: server.WebRtcTransport;
	/** What the client's end has made. */
	connection: RTCPeerConnection;
	relay: Relay | null;
}

export interface StationOptions {
	/** Of mediasoup-client; the one that it detects unless given. */
	handlerName?: types.BuiltinHandlerName;
	/** One that was loaded before, for another router of the same capabilities. */
	device?: Device;
	/** The part of datagrams that is lost, each way, 0 to 1; with 0 there is no relay between. */
	loss?: number;
	/** The part that the server takes in the handshake; the client chooses unless given. */
	serverRole?: 'client' | 'server';
	/** How the client's transports are made, beside what the server says. */
	transport?: Partial<types.TransportOptions>;
}

/** A mediasoup-client next to its router: what the client asks of the server is done at once. */
export class Station {
	static async open(router: server.Router, options: StationOptions = {}): Promise<Station> {
		const device = options.device ?? new Device({ handlerName: options.handlerName });
		if (!device.loaded) await device.load({ routerRtpCapabilities: router.rtpCapabilities as types.RtpCapabilities });
		const [send, receive] = await Promise.all([
			open(router, (given) => device.createSendTransport(given), options),
			open(router, (given) => device.createRecvTransport(given), options),
		]);
		return new Station(device, send, receive);
	}

	readonly device: Device;
	readonly send: Link;
	readonly receive: Link;
	/** The server's ends of what was made, by id. */
	readonly producers = new Map<string, server.Producer>();
	readonly dataProducers = new Map<string, server.DataProducer>();
	readonly dataConsumers = new Map<string, server.DataConsumer>();
	/** What the client told the server of its DTLS, in order. */
	readonly dtls: types.DtlsParameters[] = [];

	private constructor(device: Device, send: Link, receive: Link) {
		this.device = device;
		this.send = send;
		this.receive = receive;
		for (const link of [send, receive]) this.#answer(link);
	}

	/** Sends a track, which stays the test's to stop. */
	produce(track: MediaStreamTrack, options: types.ProducerOptions = {}): Promise<types.Producer> {
		return this.send.client.produce({ stopTracks: false, ...options, track });
	}

	/** Both ends of a consumer of that producer, flowing. */
	async consume(producerId: string): Promise<{ client: types.Consumer; server: server.Consumer }> {
		const rtpCapabilities = this.device.recvRtpCapabilities as server.RtpCapabilities;
		const consumer = await this.receive.server.consume({ producerId, rtpCapabilities, paused: true });
		const { id, kind, rtpParameters } = consumer;
		const client = await this.receive.client.consume({
			id,
			producerId,
			kind,
			rtpParameters: rtpParameters as types.RtpParameters,
		});
		await consumer.resume();
		return { client, server: consumer };
	}

	/** An open channel to the router. */
	async produceData(options: types.DataProducerOptions = {}): Promise<types.DataProducer> {
		return opened(await this.send.client.produceData(options));
	}

	/** An open channel from the router. */
	async consumeData(dataProducerId: string): Promise<types.DataConsumer> {
		const consumer = await this.receive.server.consumeData({ dataProducerId });
		const { id, sctpStreamParameters, label, protocol } = consumer;
		this.dataConsumers.set(id, consumer);
		return opened(
			await this.receive.client.consumeData({
				id,
				dataProducerId,
				sctpStreamParameters: sctpStreamParameters!,
				label,
				protocol,
			}),
		);
	}

	close(): void {
		for (const { client, server, relay } of [this.send, this.receive]) {
			client.close();
			server.close();
			relay?.close();
		}
	}

	#answer({ client, server }: Link): void {
		client.on('connect', ({ dtlsParameters }, resolve, reject) => {
			this.dtls.push(dtlsParameters);
			server.connect({ dtlsParameters }).then(resolve, reject);
		});
		client.on('produce', ({ kind, rtpParameters }, resolve, reject) => {
			const made = server.produce({ kind, rtpParameters: rtpParameters as server.RtpParameters });
			keep(this.producers, made).then(resolve, reject);
		});
		client.on('producedata', ({ sctpStreamParameters, label, protocol }, resolve, reject) => {
			const parameters = sctpStreamParameters as server.SctpStreamParameters;
			const made = server.produceData({ sctpStreamParameters: parameters, label, protocol });
			keep(this.dataProducers, made).then(resolve, reject);
		});
	}
}

/** Gives both ends of a link new ICE credentials. */
export async function restartIce({ client, server }: Link): Promise<void> {
	await client.restartIce({ iceParameters: await server.restartIce() });
}

async function keep<T extends { id: string }>(kept: Map<string, T>, made: Promise<T>): Promise<{ id: string }> {
	const object = await made;
	kept.set(object.id, object);
	return { id: object.id };
}

async function open(
	router: server.Router,
	create: (options: types.TransportOptions) => types.Transport,
	{ loss = 0, serverRole, transport = {} }: StationOptions,
): Promise<Link> {
	const server = await router.createWebRtcTransport({
		// The relay carries UDP alone; else both are offered, as servers do, and we take UDP.
		listenInfos: (loss ? (['udp'] as const) : (['udp', 'tcp'] as const)).map((protocol) => ({
			protocol,
			ip: '127.0.0.1',
		})),
		enableSctp: true,
		initialAvailableOutgoingBitrate: 1_000_000,
	});
	const relay = loss ? await Relay.open(server.iceCandidates[0]!.port, loss) : null;
	const { id, iceParameters, dtlsParameters, sctpParameters } = server;
	const iceCandidates = relay
		? server.iceCandidates.map((each) => ({ ...each, port: relay.port }))
		: server.iceCandidates;
	const client = create({
		id,
		iceParameters,
		iceCandidates,
		dtlsParameters: { ...dtlsParameters, role: serverRole ?? dtlsParameters.role },
		sctpParameters,
		...transport,
	});
	return { client, server, connection: connections.at(-1)!, relay };
}

interface Channel {
	readyState: RTCDataChannelState;
	once(event: 'open', listener: () => void): unknown;
}

async function opened<T extends Channel>(channel: T): Promise<T> {
	if (channel.readyState !== 'open') await new Promise<void>((resolve) => channel.once('open', resolve));
	return channel;
}
