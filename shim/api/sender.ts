import type { Codec, Kind, SendParameters as Negotiated, SendEncoding } from '../jsep/index.ts';
import { type MediaStream, type MediaStreamTrack, openTrack } from '../media/index.ts';
import { uuid } from '../media/uuid.ts';
import type { Remote } from '../rpc/Remote.ts';
import type { Scope } from '../rpc/Scope.ts';
import type { CallIn } from '../rpc/types.ts';
import { constructorKey } from '../webidl/interface.ts';
import { nextTask, queueTask } from '../webidl/task.ts';
import { matchesCodec } from './codecs.ts';
import type { Connection } from './connection.ts';
import { Dtmf } from './dtmf.ts';
import { RTCRtpSender } from './RTCRtpSender.ts';
import { randomSsrc } from './random.ts';
import { defaultEncoding, type EncodingParameters, isEqual, ONE_LAYER, type SendParameters } from './rtpParameters.ts';
import type { Transceiver } from './transceiver.ts';
import type { Transport } from './transport.ts';

/** An encoding with the SSRCs that it is sent with. */
interface Encoding {
	parameters: EncodingParameters;
	readonly ssrc: number;
	readonly rtxSsrc: number;
}

/** What encoding a track takes of a worker, in connections without one. */
const WEIGHT: Record<Kind, number> = { audio: 2, video: 12 };

type SendCall = CallIn<'RtpSender', 'send'>;

/** The slots of an RTCRtpSender. @see https://www.w3.org/TR/webrtc/#dfn-create-an-rtcrtpsender */
export class Sender {
	readonly object: RTCRtpSender;
	readonly connection: Connection;
	readonly kind: Kind;
	/** Set by the transceiver that is made for it. */
	declare transceiver: Transceiver;
	readonly handle: Remote<'RtpSender'>;
	/** Null for video. */
	readonly dtmf: Dtmf | null;
	readonly #scope: Scope;
	#track: MediaStreamTrack | null;
	/** The track's part of a=msid, which stays when the track is replaced. */
	trackId: string;
	streamIds: string[];
	transport: Transport | null = null;
	codecs: Codec[] = [];
	lastReturned: SendParameters | null = null;
	#encodings: Encoding[];
	#negotiated: Negotiated | null = null;
	/** What the worker was told last. */
	#told: SendCall | null = null;

	constructor(
		connection: Connection,
		scope: Scope,
		kind: Kind,
		track: MediaStreamTrack | null,
		streams: readonly MediaStream[],
		encodings: readonly EncodingParameters[],
	) {
		this.connection = connection;
		this.kind = kind;
		this.#scope = scope;
		this.#track = track;
		this.#weigh();
		// A peer takes no two sections of one a=msid, so of the senders of one track the first alone has its id.
		const isTaken = connection.transceivers.some(({ sender }) => sender.trackId === track?.id);
		this.trackId = !track || isTaken ? uuid() : track.id;
		this.streamIds = uniqueIds(streams);
		this.#encodings = encodings.length > 0 ? encodings.map(encoding) : [encoding(defaultEncoding(kind))];
		this.handle = scope.create('RtpSender', { kind, track: this.#handleOf(track) });
		this.handle.on('error', ({ message }) => connection.senderFailed(this, message));
		this.dtmf = kind === 'audio' ? new Dtmf(this, scope) : null;
		this.object = new RTCRtpSender(constructorKey, this);
	}

	get track(): MediaStreamTrack | null {
		return this.#track;
	}

	get encodings(): readonly EncodingParameters[] {
		return this.#encodings.map(({ parameters }) => parameters);
	}

	/** For offers and answers. */
	get sendEncodings(): SendEncoding[] {
		return this.#encodings.map(({ ssrc, rtxSsrc, parameters: { rid, active } }) => ({
			ssrc,
			rtxSsrc: this.kind === 'video' ? rtxSsrc : undefined,
			rid,
			active,
		}));
	}

	get negotiated(): Negotiated | null {
		return this.#negotiated;
	}

	setStreams(streams: readonly MediaStream[]): void {
		this.streamIds = uniqueIds(streams);
	}

	/** Takes a track, or none, at once: what addTrack() and removeTrack() do. */
	setTrack(track: MediaStreamTrack | null): void {
		this.#track = track;
		this.#weigh();
		this.#tellTrack(track).catch((error: Error) => this.connection.senderFailed(this, error.message));
	}

	/** Takes a track, or none, when the worker sends it. */
	async replaceTrack(track: MediaStreamTrack | null): Promise<void> {
		await Promise.all([this.#tellTrack(track), nextTask()]);
		this.#track = track;
		this.#weigh();
	}

	/** Other encodings of the same number keep their SSRCs, so that a receiver sees no break. */
	setEncodings(encodings: readonly EncodingParameters[]): void {
		this.#encodings = this.#withParameters(encodings);
	}

	/** Takes other encodings of the same number when the worker sends them. */
	async replaceEncodings(parameters: readonly EncodingParameters[]): Promise<void> {
		const encodings = this.#withParameters(parameters);
		await Promise.all([this.#tell(encodings), nextTask()]);
		this.#encodings = encodings;
		this.lastReturned = null;
	}

	/** Keeps the layers that the peer still takes; the first, when it takes none. */
	keepLayers(rids: readonly string[]): void {
		if (this.#encodings.length < 2) return;
		const kept = this.#encodings.filter(({ parameters: { rid } }) => rid !== undefined && rids.includes(rid));
		this.#encodings = kept.length > 0 ? kept : this.#encodings.slice(0, 1);
	}

	/** Step 4.6.14.2.2.1 of setting a description: an encoding's codec goes with its negotiation. */
	dropLostCodecs(): void {
		if (this.codecs.length === 0) return;
		for (const { parameters } of this.#encodings) {
			const { codec } = parameters;
			if (codec && !this.codecs.some((known) => matchesCodec(known, codec, true))) delete parameters.codec;
		}
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcrtpsender-getparameters */
	getParameters(): SendParameters {
		// 2.
		if (this.lastReturned) return structuredClone(this.lastReturned);
		// 3. – 8.
		const result: SendParameters = {
			transactionId: uuid(),
			encodings: this.encodings.map((each) => ({ ...each })),
			headerExtensions: (this.#negotiated?.headerExtensions ?? []).map((each) => ({ ...each, encrypted: false })),
			codecs: this.codecs.map(toCodecParameters),
			rtcp: { cname: this.connection.cname, reducedSize: this.#negotiated?.reducedSize ?? false },
		};
		// 9. – 10.
		this.lastReturned = result;
		queueTask(() => {
			if (this.lastReturned === result) this.lastReturned = null;
		});
		return structuredClone(result);
	}

	/** Takes what negotiation came to, and tells the worker. */
	negotiate(negotiated: Negotiated, transport: Transport): void {
		this.#negotiated = negotiated;
		this.transport = transport;
		for (const { parameters } of this.#encodings)
			if (parameters.scalabilityMode) parameters.scalabilityMode = ONE_LAYER;
		this.#apply();
	}

	/** Stops sending, until negotiated anew. */
	pause(): void {
		if (!this.#negotiated?.active) return;
		this.#negotiated = { ...this.#negotiated, active: false };
		this.#apply();
	}

	/** Begins a tone of `duration` milliseconds. */
	playTone(tone: string, duration: number): void {
		this.handle
			.call('playTone', { tone, duration })
			.catch((error: Error) => this.connection.senderFailed(this, error.message));
	}

	#weigh(): void {
		this.#scope.weight = this.#track ? WEIGHT[this.kind] : 0;
	}

	#apply(): void {
		this.#tell(this.#encodings).catch((error: Error) => this.connection.senderFailed(this, error.message));
	}

	/** Tells the worker what to send, if that is not what it was told last. */
	async #tell(encodings: readonly Encoding[]): Promise<void> {
		const call = this.#sendCall(encodings);
		const before = this.#told;
		if (!call || (before === null && !call.active) || isEqual(call, before)) return;
		this.#told = call;
		try {
			await this.handle.call('send', call);
		} catch (error) {
			if (this.#told === call) this.#told = before;
			throw error;
		}
	}

	#sendCall(own: readonly Encoding[]): SendCall | null {
		const dtls = this.transport?.dtls.handle;
		if (!dtls || !this.#negotiated) return null;
		const { encodings: layers, ...negotiated } = this.#negotiated;
		const encodings = layers.map((layer) => {
			const { parameters } = own.find(({ ssrc }) => ssrc === layer.ssrc) ?? own[0]!;
			const { active, codec, maxBitrate, maxFramerate, scaleResolutionDownBy } = parameters;
			const payloadType = codec && this.codecs.find((known) => matchesCodec(known, codec, true))?.payloadType;
			return { ...layer, active, maxBitrate, maxFramerate, scaleResolutionDownBy, payloadType };
		});
		return { ...negotiated, transport: dtls, encodings };
	}

	#withParameters(encodings: readonly EncodingParameters[]): Encoding[] {
		return encodings.map((parameters, index) => {
			const known = this.#encodings[index];
			return known ? { ...known, parameters } : encoding(parameters);
		});
	}

	#tellTrack(track: MediaStreamTrack | null): Promise<unknown> {
		return this.handle.call('replaceTrack', { track: this.#handleOf(track) });
	}

	/** An ended track has no object in the worker: there is nothing to send of it. */
	#handleOf(track: MediaStreamTrack | null): Remote<'Track'> | null {
		return track && openTrack(track, this.connection.session);
	}
}

function encoding(parameters: EncodingParameters): Encoding {
	return { parameters, ssrc: randomSsrc(), rtxSsrc: randomSsrc() };
}

function uniqueIds(streams: readonly MediaStream[]): string[] {
	return [...new Set(streams.map(({ id }) => id))];
}

/** RTCRtpCodecParameters; feedback is no member of it. */
export function toCodecParameters({ rtcpFeedback, ...codec }: Codec): Omit<Codec, 'rtcpFeedback'> {
	return { ...codec };
}
