import { unsignedLongEnforced } from '../webidl/convert.ts';
import { defineEventHandlers, eventTargetOf } from '../webidl/eventHandlers.ts';
import { defineInterface, requireArguments, requireKey } from '../webidl/interface.ts';
import { type DataChannel, toMessage } from './dataChannel.ts';

/**
 * A bidirectional channel over an SCTP association.
 * @see https://www.w3.org/TR/webrtc/#rtcdatachannel
 */
export class RTCDataChannel extends eventTargetOf<RTCDataChannelEventMap>() {
	declare onopen: globalThis.RTCDataChannel['onopen'];
	declare onbufferedamountlow: globalThis.RTCDataChannel['onbufferedamountlow'];
	declare onerror: globalThis.RTCDataChannel['onerror'];
	declare onclosing: globalThis.RTCDataChannel['onclosing'];
	declare onclose: globalThis.RTCDataChannel['onclose'];
	declare onmessage: globalThis.RTCDataChannel['onmessage'];

	readonly #channel: DataChannel;

	constructor(key: unknown = undefined, channel?: DataChannel) {
		requireKey(key);
		super();
		this.#channel = channel!;
	}

	get label(): string {
		return this.#channel.init.label;
	}

	get ordered(): boolean {
		return this.#channel.init.ordered;
	}

	/** Milliseconds in which a message may be repeated; null is no limit. */
	get maxPacketLifeTime(): number | null {
		return this.#channel.init.maxPacketLifeTime;
	}

	/** How often a message may be repeated; null is no limit. */
	get maxRetransmits(): number | null {
		return this.#channel.init.maxRetransmits;
	}

	get protocol(): string {
		return this.#channel.init.protocol;
	}

	get negotiated(): boolean {
		return this.#channel.init.negotiated;
	}

	/** The stream's identifier, 0 to 65534; null until the DTLS role is known. */
	get id(): number | null {
		return this.#channel.id;
	}

	get readyState(): RTCDataChannelState {
		return this.#channel.readyState;
	}

	/** Bytes given to send() that have not left for the network; it rises with send() and keeps its value at close. */
	get bufferedAmount(): number {
		return this.#channel.bufferedAmount;
	}

	/** `bufferedamountlow` fires when bufferedAmount falls to this many bytes or below. */
	get bufferedAmountLowThreshold(): number {
		return this.#channel.lowThreshold;
	}

	set bufferedAmountLowThreshold(value: number) {
		this.#channel.lowThreshold = unsignedLongEnforced(value, 'bufferedAmountLowThreshold');
	}

	/** How binary messages are given. */
	get binaryType(): BinaryType {
		return this.#channel.binaryType;
	}

	set binaryType(value: BinaryType) {
		const channel = this.#channel;
		const string = `${value}`;
		// An attribute whose type is an enumeration ignores what is no value of it.
		if (string === 'blob' || string === 'arraybuffer') channel.binaryType = string;
	}

	/**
	 * Queues `data` for the peer.
	 *
	 * @param data a string (sent as UTF-8), a Blob, an ArrayBuffer or a view of one; at most `sctp.maxMessageSize` bytes
	 * @throws {InvalidStateError} the channel is not open
	 * @throws {TypeError} the message is larger than the peer accepts
	 * @see https://www.w3.org/TR/webrtc/#datachannel-send
	 */
	send(data: string | Blob | ArrayBuffer | ArrayBufferView): void {
		requireArguments(arguments.length, 1, 'send');
		this.#channel.send(toMessage(data));
	}

	/**
	 * Closes the channel when all that was sent has left.
	 * @see https://www.w3.org/TR/webrtc/#dom-rtcdatachannel-close
	 */
	close(): void {
		this.#channel.close();
	}
}

defineInterface(RTCDataChannel);
defineEventHandlers(RTCDataChannel, ['open', 'bufferedamountlow', 'error', 'closing', 'close', 'message']);
