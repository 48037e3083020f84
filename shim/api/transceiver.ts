import type { Codec } from '../jsep/index.ts';
import {
	allExtensions,
	type CodecCapability,
	type Direction,
	type HeaderExtensionControl,
	type Kind,
	sends,
	type TransceiverRecord,
} from '../jsep/index.ts';
import { endRemoteTrack, type MediaStream } from '../media/index.ts';
import type { Scope } from '../rpc/Scope.ts';
import { constructorKey } from '../webidl/interface.ts';
import { queueTask } from '../webidl/task.ts';
import type { Connection } from './connection.ts';
import { RTCRtpTransceiver } from './RTCRtpTransceiver.ts';
import type { Receiver } from './receiver.ts';
import { defaultEncoding, type EncodingParameters } from './rtpParameters.ts';
import type { Sender } from './sender.ts';
import type { Transport } from './transport.ts';

/** What a rollback goes back to. */
interface Stable {
	mid: string | null;
	mlineIndex: number | null;
	senderTransport: Transport | null;
	receiverTransport: Transport | null;
	/** Null when there were several, or one with a rid. */
	ridlessEncodings: readonly EncodingParameters[] | null;
	streams: MediaStream[];
	receiveCodecs: Codec[];
}

/** How a transceiver came to be, which decides what may be done with it. */
export type Origin = 'addTrack' | 'addTransceiver' | 'remote';

/** The slots of an RTCRtpTransceiver. @see https://www.w3.org/TR/webrtc/#dfn-create-an-rtcrtptransceiver */
export class Transceiver {
	readonly object: RTCRtpTransceiver;
	readonly connection: Connection;
	readonly sender: Sender;
	readonly receiver: Receiver;
	readonly origin: Origin;
	/** Of what the worker has of its sender and receiver. */
	readonly #scope: Scope;
	mid: string | null = null;
	mlineIndex: number | null = null;
	direction: Direction;
	firedDirection: Direction | null = null;
	receptive = false;
	stopping = false;
	stopped = false;
	preferredCodecs: CodecCapability[] = [];
	/** What it would negotiate. */
	headerExtensions: readonly HeaderExtensionControl[];
	/** What was negotiated last; those that are missing are stopped. */
	negotiatedExtensions: readonly HeaderExtensionControl[] = [];
	/** addTrack() gave its sender a track, so that a rollback leaves it. */
	hadTrack = false;
	/** Its sender was negotiated to send at some time, so that addTrack() does not reuse it. */
	hasSent = false;
	/** As it was when the signaling state was last stable; null when it was not there. */
	stable: Stable | null = null;
	#currentDirection: Direction | null = null;

	constructor(
		connection: Connection,
		scope: Scope,
		sender: Sender,
		receiver: Receiver,
		direction: Direction,
		origin: Origin,
	) {
		this.connection = connection;
		this.#scope = scope;
		this.sender = sender;
		this.receiver = receiver;
		this.direction = direction;
		this.origin = origin;
		this.headerExtensions = allExtensions(sender.kind);
		this.hadTrack = origin === 'addTrack';
		sender.transceiver = this;
		receiver.transceiver = this;
		this.object = new RTCRtpTransceiver(constructorKey, this);
	}

	get kind(): Kind {
		return this.sender.kind;
	}

	get currentDirection(): Direction | null {
		return this.#currentDirection;
	}

	set currentDirection(direction: Direction | null) {
		this.#currentDirection = direction;
		if (direction && sends(direction)) this.hasSent = true;
	}

	/** For offers and answers. */
	get record(): TransceiverRecord {
		const { kind, mid, mlineIndex, direction, stopping, stopped, preferredCodecs, headerExtensions, sender } = this;
		return {
			kind,
			mid,
			mlineIndex,
			direction,
			stopping,
			stopped,
			streams: sender.streamIds,
			trackId: sender.trackId,
			cname: this.connection.cname,
			codecPreferences: preferredCodecs,
			headerExtensions,
			sendEncodings: sender.sendEncodings,
		};
	}

	/** Remembers what a rollback needs. @see https://www.w3.org/TR/webrtc/#set-description, 4.6.4.2 */
	remember(): void {
		const { sender, receiver, mid, mlineIndex } = this;
		const [only, ...others] = sender.encodings;
		this.stable = {
			mid,
			mlineIndex,
			senderTransport: sender.transport,
			receiverTransport: receiver.transport,
			ridlessEncodings: only && others.length === 0 && only.rid === undefined ? sender.encodings : null,
			streams: receiver.streams,
			receiveCodecs: receiver.codecs,
		};
	}

	/** @see https://www.w3.org/TR/webrtc/#set-description, 4.6.12.3.1 – 5 */
	restore(): void {
		const { sender, receiver, stable } = this;
		this.mid = stable?.mid ?? null;
		this.mlineIndex = stable?.mlineIndex ?? null;
		sender.transport = stable?.senderTransport ?? null;
		// What an offer made had no encodings before it: it goes back to those that addTrack() would have made.
		const made = stable === null && this.origin === 'remote';
		const ridless = made ? [defaultEncoding(this.kind)] : stable?.ridlessEncodings;
		if (ridless && sender.encodings.some(({ rid }) => rid !== undefined)) sender.setEncodings(ridless);
		receiver.transport = stable?.receiverTransport ?? null;
		receiver.codecs = stable?.receiveCodecs ?? [];
	}

	/** @see https://www.w3.org/TR/webrtc/#dfn-stop-sending-and-receiving */
	stopSendingAndReceiving(): void {
		// 3. – 4.
		this.sender.pause();
		this.receiver.pause();
		// 5., which queues a task of its own.
		queueTask(() => endRemoteTrack(this.receiver.track));
		// 6. – 7.
		this.direction = 'inactive';
		this.stopping = true;
	}

	/** @see https://www.w3.org/TR/webrtc/#dfn-stop-the-rtcrtptransceiver */
	stop(): void {
		// 2.
		if (!this.stopping) this.stopSendingAndReceiving();
		// 3. – 5.
		this.stopped = true;
		this.receptive = false;
		this.currentDirection = null;
		// 6. – 7.
		this.receiver.streams = [];
		if (this.stable) this.stable.streams = [];
		this.#scope.dispose();
	}
}
