import type { Codec, Kind, ReceiveParameters } from '../jsep/index.ts';
import { createRemoteTrack, endRemoteTrack, type MediaStream, type MediaStreamTrack } from '../media/index.ts';
import type { Remote } from '../rpc/Remote.ts';
import type { Scope } from '../rpc/Scope.ts';
import type { CallIn, EventOut } from '../rpc/types.ts';
import { constructorKey } from '../webidl/interface.ts';
import type { Connection } from './connection.ts';
import { RTCRtpReceiver } from './RTCRtpReceiver.ts';
import { isEqual } from './rtpParameters.ts';
import type { Transceiver } from './transceiver.ts';
import type { Transport } from './transport.ts';

type ReceiveCall = CallIn<'RtpReceiver', 'receive'>;
type SourcesEvent = EventOut<'RtpReceiver', 'sources'>;
type RtpSource = SourcesEvent['synchronization'][number];

/** Sources, each with the time of its last packet, in milliseconds since the Unix epoch, instead of its age. */
export type Source = Omit<RtpSource, 'age'> & { timestamp: number };
type Sources = Record<keyof SourcesEvent, Source[]>;

/** The slots of an RTCRtpReceiver. @see https://www.w3.org/TR/webrtc/#dfn-create-an-rtcrtpreceiver */
export class Receiver {
	readonly object: RTCRtpReceiver;
	readonly connection: Connection;
	readonly kind: Kind;
	/** Set by the transceiver that is made for it. */
	declare transceiver: Transceiver;
	readonly handle: Remote<'RtpReceiver'>;
	readonly track: MediaStreamTrack;
	transport: Transport | null = null;
	codecs: Codec[] = [];
	streams: MediaStream[] = [];
	#jitterBufferTarget: number | null = null;
	#sources: Sources = { contributing: [], synchronization: [] };
	#watchesSources = false;
	#negotiated: ReceiveParameters | null = null;
	/** What the worker was told last. */
	#told: ReceiveCall | null = null;

	constructor(connection: Connection, scope: Scope, kind: Kind) {
		this.connection = connection;
		this.kind = kind;
		this.handle = scope.create('RtpReceiver', { kind });
		this.handle.on('error', () => endRemoteTrack(this.track));
		this.handle.on('sources', (sources) => {
			const contributing = sources.contributing.map(stamp);
			this.#sources = { contributing, synchronization: sources.synchronization.map(stamp) };
		});
		this.handle.onlost = () => endRemoteTrack(this.track);
		this.track = createRemoteTrack(kind, connection.session, this.handle);
		this.object = new RTCRtpReceiver(constructorKey, this);
	}

	get negotiated(): ReceiveParameters | null {
		return this.#negotiated;
	}

	/** Milliseconds; null for as little as the path allows. */
	get jitterBufferTarget(): number | null {
		return this.#jitterBufferTarget;
	}

	set jitterBufferTarget(milliseconds: number | null) {
		this.#jitterBufferTarget = milliseconds;
		// Refused only when the receiver is gone.
		this.handle.call('setJitterBufferTarget', { milliseconds }).catch(() => {});
	}

	/** The sources of the last seconds, as the worker said last: each 5 s, and ten times a second from the first question on. */
	get sources(): Sources {
		if (!this.#watchesSources) {
			this.#watchesSources = true;
			// A refusal leaves what is known: the receiver is gone.
			this.handle.call('watchSources', {}).catch(() => {});
		}
		return this.#sources;
	}

	/** Takes what negotiation came to, and tells the worker. */
	negotiate(negotiated: ReceiveParameters, transport: Transport): void {
		this.#negotiated = negotiated;
		this.transport = transport;
		this.#apply();
	}

	/** Stops receiving, until negotiated anew. */
	pause(): void {
		if (!this.#negotiated?.active) return;
		this.#negotiated = { ...this.#negotiated, active: false };
		this.#apply();
	}

	#apply(): void {
		const dtls = this.transport?.dtls.handle;
		if (!dtls || !this.#negotiated) return;
		const call = { ...this.#negotiated, transport: dtls };
		if ((this.#told === null && !call.active) || isEqual(call, this.#told)) return;
		this.#told = call;
		this.handle.call('receive', call).catch(() => endRemoteTrack(this.track));
	}
}

/** The bridge may have another clock than the application. */
function stamp({ age, ...source }: RtpSource): Source {
	return { ...source, timestamp: performance.timeOrigin + performance.now() - age };
}
