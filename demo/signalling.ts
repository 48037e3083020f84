/**
 * What a client and the demo's server say to each other over socket.io. Each request is answered; events are only told.
 * The types of WebRTC's parameters are mediasoup-client's, which the server's agree with.
 */
import type { types } from 'mediasoup-client';

export interface PeerInfo {
	id: string;
	name: string;
	/** A program: nobody reads what is said to it. */
	bot: boolean;
}

export interface MediaInfo {
	peerId: string;
	producerId: string;
	kind: types.MediaKind;
}

export interface ChannelInfo {
	peerId: string;
	dataProducerId: string;
	label: string;
}

/** What a peer that enters finds in the room. */
export interface Found {
	peers: PeerInfo[];
	media: MediaInfo[];
	channels: ChannelInfo[];
}

/** Each request's name, what it asks and what is answered. */
export interface Requests {
	join: [{ room: string; name: string; bot: boolean }, { routerRtpCapabilities: types.RtpCapabilities }];
	/** From here on the others see this peer, and it is told what changes: it has what it needs to receive. */
	enter: [Record<string, never>, Found];
	createTransport: [Record<string, never>, types.TransportOptions];
	connectTransport: [{ transportId: string; dtlsParameters: types.DtlsParameters }, undefined];
	restartIce: [{ transportId: string }, types.IceParameters];
	produce: [{ transportId: string; kind: types.MediaKind; rtpParameters: types.RtpParameters }, { id: string }];
	produceData: [
		{ transportId: string; sctpStreamParameters: types.SctpStreamParameters; label: string },
		{ id: string },
	];
	/** The consumer starts paused, so that no packet comes before the client can route it. */
	consume: [
		{ transportId: string; producerId: string; rtpCapabilities: types.RtpCapabilities },
		types.ConsumerOptions & { paused: boolean },
	];
	/** The consumer starts paused, so that no message comes before the client's channel is open. */
	consumeData: [{ transportId: string; dataProducerId: string }, types.DataConsumerOptions];
	resumeConsumer: [{ consumerId: string }, undefined];
	resumeDataConsumer: [{ dataConsumerId: string }, undefined];
	pauseProducer: [{ producerId: string }, undefined];
	resumeProducer: [{ producerId: string }, undefined];
	closeProducer: [{ producerId: string }, undefined];
	closeDataProducer: [{ dataProducerId: string }, undefined];
}

export type RequestName = keyof Requests;
export type Asked<N extends RequestName> = Requests[N][0];
export type Answered<N extends RequestName> = Requests[N][1];
export type Answer<T> = { ok: T } | { error: string };

export type ClientToServer = {
	[N in RequestName]: (request: Asked<N>, answer: (answer: Answer<Answered<N>>) => void) => void;
};

/** Each event's name and what it tells. */
export interface Events {
	peerJoined: PeerInfo;
	peerLeft: { peerId: string };
	mediaAdded: MediaInfo;
	channelAdded: ChannelInfo;
	/** The SFU ended a transport of ours: it was told to, or died. */
	transportClosed: { transportId: string };
	/** What this consumer consumed is gone, and so is the consumer. */
	consumerClosed: { consumerId: string };
	dataConsumerClosed: { dataConsumerId: string };
	consumerPaused: { consumerId: string };
	consumerResumed: { consumerId: string };
	/** Somebody now hears a channel of ours: what is sent before reaches nobody. */
	listening: { label: string; peerId: string };
}

export type ServerToClient = { [E in keyof Events]: (message: Events[E]) => void };
