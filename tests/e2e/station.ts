/** A mediasoup-client next to its router, with no signalling between: what the client asks is done at once. */
import { createWorker, type types as server } from 'mediasoup';
import { Device, type types } from 'mediasoup-client';
import { MEDIA_CODECS } from '../../demo/sfu/codecs.ts';
import { ensureMediasoupWorker } from '../../scripts/mediasoup-worker.ts';

export async function startRouter(): Promise<{ router: server.Router; close(): void }> {
	const worker = await createWorker({ workerBin: await ensureMediasoupWorker(), logLevel: 'warn' });
	const router = await worker.createRouter({ mediaCodecs: MEDIA_CODECS });
	return { router, close: () => worker.close() };
}

/** The two ends of a transport. */
interface Link {
	client: types.Transport;
	server: server.WebRtcTransport;
}

export class Station {
	static async open(router: server.Router): Promise<Station> {
		const device = new Device();
		await device.load({ routerRtpCapabilities: router.rtpCapabilities as types.RtpCapabilities });
		const [sending, receiving] = await Promise.all([link(router), link(router)]);
		return new Station(
			device,
			{ server: sending, client: connect(device.createSendTransport(optionsOf(sending)), sending) },
			{ server: receiving, client: connect(device.createRecvTransport(optionsOf(receiving)), receiving) },
		);
	}

	readonly device: Device;
	readonly send: Link;
	readonly receive: Link;

	private constructor(device: Device, send: Link, receive: Link) {
		this.device = device;
		this.send = send;
		this.receive = receive;
	}

	/** Both ends of a consumer of that producer, flowing. */
	async consume(producerId: string): Promise<{ client: types.Consumer; server: server.Consumer }> {
		const rtpCapabilities = this.device.recvRtpCapabilities as server.RtpCapabilities;
		const consumer = await this.receive.server.consume({ producerId, rtpCapabilities, paused: true });
		const { id, kind, rtpParameters } = consumer;
		const options = { id, producerId, kind, rtpParameters: rtpParameters as types.RtpParameters };
		const client = await this.receive.client.consume(options);
		await consumer.resume();
		return { client, server: consumer };
	}

	async consumeData(dataProducerId: string): Promise<types.DataConsumer> {
		const { id, sctpStreamParameters } = await this.receive.server.consumeData({ dataProducerId });
		const channel = await this.receive.client.consumeData({
			id,
			dataProducerId,
			sctpStreamParameters: sctpStreamParameters!,
		});
		if (channel.readyState !== 'open') await new Promise<void>((resolve) => channel.once('open', resolve));
		return channel;
	}

	async produceData(options: types.DataProducerOptions): Promise<types.DataProducer> {
		const channel = await this.send.client.produceData(options);
		if (channel.readyState !== 'open') await new Promise<void>((resolve) => channel.once('open', resolve));
		return channel;
	}

	async restartIce({ client, server }: Link): Promise<void> {
		await client.restartIce({ iceParameters: await server.restartIce() });
	}

	close(): void {
		for (const { client, server } of [this.send, this.receive]) {
			client.close();
			server.close();
		}
	}
}

function link(router: server.Router): Promise<server.WebRtcTransport> {
	return router.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }], enableSctp: true });
}

function optionsOf(transport: server.WebRtcTransport): types.TransportOptions {
	const { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters } = transport;
	return { id, iceParameters, iceCandidates, dtlsParameters, sctpParameters };
}

function connect(client: types.Transport, transport: server.WebRtcTransport): types.Transport {
	client.on('connect', ({ dtlsParameters }, resolve, reject) => {
		transport.connect({ dtlsParameters }).then(resolve, reject);
	});
	client.on('produce', ({ kind, rtpParameters }, resolve, reject) => {
		transport.produce({ kind, rtpParameters: rtpParameters as server.RtpParameters }).then(resolve, reject);
	});
	client.on('producedata', ({ sctpStreamParameters, label }, resolve, reject) => {
		const parameters = sctpStreamParameters as server.SctpStreamParameters;
		transport.produceData({ sctpStreamParameters: parameters, label }).then(resolve, reject);
	});
	return client;
}
