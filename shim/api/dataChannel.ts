import type { Remote } from '../rpc/Remote.ts';
import type { EventOut } from '../rpc/types.ts';
import { bytesBehind, isArrayBuffer, isBlob } from '../webidl/buffers.ts';
import { domString } from '../webidl/convert.ts';
import { constructorKey } from '../webidl/interface.ts';
import { queueTask } from '../webidl/task.ts';
import { RTCErrorEvent } from './events/RTCErrorEvent.ts';
import { RTCDataChannel } from './RTCDataChannel.ts';
import { RTCError } from './RTCError.ts';

/** What a channel is made with; in-band or by agreement of the applications. */
export interface DataChannelInit {
	label: string;
	protocol: string;
	ordered: boolean;
	maxPacketLifeTime: number | null;
	maxRetransmits: number | null;
	negotiated: boolean;
}

/** What a channel needs of its connection. */
export interface DataChannelOwner {
	readonly isClosed: boolean;
	/** Bytes that the peer accepts in one message. */
	readonly maxMessageSize: number;
	channelOpened(): void;
	removeChannel(channel: DataChannel): void;
}

/** A message as it is queued. */
export interface Message {
	size: number;
	/** Its bytes, those of a string in UTF-8; or the Blob that has them. */
	data: Uint8Array<ArrayBuffer> | Blob;
	text: boolean;
	/** Whether the application cannot change the bytes any more. */
	owned: boolean;
}

const encoder = new TextEncoder();

/**
 * Takes what send() was given; of a buffer a view, which is to be copied in this turn, since its owner may change it.
 * What is none of send()'s types is sent as its string, as Web IDL has it; a SharedArrayBuffer is one of these.
 *
 * @throws {TypeError} a view of shared memory, or a symbol
 */
export function toMessage(data: unknown): Message {
	if (typeof data === 'string') return textMessage(data);
	if (ArrayBuffer.isView(data) || isArrayBuffer(data)) {
		if (ArrayBuffer.isView(data) && !isArrayBuffer(data.buffer)) throw new TypeError('data is a view of shared memory');
		const bytes = bytesBehind(data) as Uint8Array<ArrayBuffer>;
		return { size: bytes.byteLength, data: bytes, text: false, owned: false };
	}
	if (isBlob(data)) return { size: data.size, data, text: false, owned: true };
	return textMessage(domString(data, 'data'));
}

function textMessage(text: string): Message {
	const data = encoder.encode(text);
	return { size: data.byteLength, data, text: true, owned: true };
}

/** The slots and algorithms of an RTCDataChannel. */
export class DataChannel {
	readonly object: RTCDataChannel;
	readonly init: Readonly<DataChannelInit>;
	readonly #owner: DataChannelOwner;
	id: number | null;
	readyState: RTCDataChannelState = 'connecting';
	binaryType: BinaryType = 'arraybuffer';
	lowThreshold = 0;
	wasOpen = false;
	#handle: Remote<'DataChannel'> | null = null;
	/** What waits for a Blob to be read, the Blob first. */
	#waiting: Message[] = [];
	#waitingBytes = 0;
	/** bufferedAmount as the last send() or credit left it. */
	#buffered = 0;
	/** bufferedAmount as it was when the channel was closed. */
	#left = 0;

	constructor(owner: DataChannelOwner, init: DataChannelInit, id: number | null) {
		this.#owner = owner;
		this.init = init;
		this.id = id;
		this.object = new RTCDataChannel(constructorKey, this);
	}

	get handle(): Remote<'DataChannel'> | null {
		return this.#handle;
	}

	get bufferedAmount(): number {
		return this.#left + this.#waitingBytes + (this.#handle?.bufferedAmount ?? 0);
	}

	/** Takes the worker's channel, once the association has one. */
	attach(handle: Remote<'DataChannel'>): void {
		this.#handle = handle;
		handle.on('open', ({ streamId }) => {
			this.id ??= streamId;
			this.announceOpen();
		});
		handle.on('closing', () => this.#peerCloses());
		handle.on('close', ({ error }) => this.closed(error));
		handle.on('error', ({ message }) => this.failed(message));
		handle.onlost = (error) => this.closed({ errorDetail: 'sctp-failure', message: error.message });
		handle.onmessage = (data) => this.#receive(data);
		handle.onbuffered = () => this.#drained();
		if (this.readyState === 'closing') this.#closeHandle();
	}

	/** @see https://www.w3.org/TR/webrtc/#announce-datachannel-open */
	announceOpen(): void {
		// 1. – 3.
		if (this.#owner.isClosed || this.readyState !== 'connecting') return;
		// 4. – 5.
		this.#becomeOpen();
		this.object.dispatchEvent(new Event('open'));
	}

	/** A channel of the peer is open when the page hears of it; its `open` follows in a task of its own. */
	announceAccepted(announce: () => void): void {
		this.#becomeOpen();
		announce();
		queueTask(() => {
			if (!this.#owner.isClosed && this.readyState === 'open') this.object.dispatchEvent(new Event('open'));
		});
	}

	/** @see https://www.w3.org/TR/webrtc/#datachannel-send */
	send(message: Message): void {
		// 3.
		if (this.readyState !== 'open') throw new DOMException(`readyState is ${this.readyState}`, 'InvalidStateError');
		// 5.
		const limit = this.#owner.maxMessageSize;
		if (message.size > limit) throw new TypeError(`${message.size} bytes; the peer accepts ${limit}`);
		// 6. has no effect here: what the worker has not taken stays in the shim, whose memory is the limit.
		// 7. – 8.
		if (this.#waiting.length > 0 || !ArrayBuffer.isView(message.data)) this.#wait(message);
		else this.#queue(message.data, message);
		this.#buffered = this.bufferedAmount;
	}

	/** @see https://www.w3.org/TR/webrtc/#dom-rtcdatachannel-close */
	close(): void {
		// 2. – 3.
		if (this.readyState === 'closing' || this.readyState === 'closed') return;
		this.readyState = 'closing';
		// 4.
		this.#owner.removeChannel(this);
		if (this.#handle) this.#closeHandle();
		else queueTask(() => this.closed(null));
	}

	/** @see https://www.w3.org/TR/webrtc/#data-transport-closed */
	closed(error: EventOut<'DataChannel', 'close'>['error']): void {
		// 2. – 4.
		if (this.readyState === 'closed' || this.#owner.isClosed) return;
		this.abandon();
		this.#owner.removeChannel(this);
		// 5.
		if (error) this.#fireError('sctp-failure', error.message, error.sctpCauseCode ?? undefined);
		// 6.
		this.object.dispatchEvent(new Event('close'));
	}

	/** The worker could not make the channel. @see https://www.w3.org/TR/webrtc/#data-transport-failure */
	failed(message: string): void {
		if (this.readyState === 'closed' || this.#owner.isClosed) return;
		this.abandon();
		this.#owner.removeChannel(this);
		this.#fireError('data-channel-failure', message);
		this.object.dispatchEvent(new Event('close'));
	}

	/** Closes without a word, as the connection does. */
	abandon(): void {
		this.readyState = 'closed';
		// It keeps its value: what is not sent now never is, a Blob that is being read included.
		this.#left = this.bufferedAmount;
		this.#waiting = [];
		this.#waitingBytes = 0;
		this.#handle?.drop();
		this.#handle = null;
	}

	#becomeOpen(): void {
		this.readyState = 'open';
		this.wasOpen = true;
		this.#owner.channelOpened();
	}

	/** @see https://www.w3.org/TR/webrtc/#closing-procedure */
	#peerCloses(): void {
		// 3. – 4.
		if (this.#owner.isClosed || this.readyState === 'closing' || this.readyState === 'closed') return;
		this.#owner.removeChannel(this);
		this.readyState = 'closing';
		this.object.dispatchEvent(new Event('closing'));
		// 5.
		this.#closeHandle();
	}

	#closeHandle(): void {
		if (this.#waiting.length > 0) return;
		// Refused only when the channel is gone already, which `close` or a lost session says.
		this.#handle?.callAfterSent('close', {}).catch(() => {});
	}

	/** @see https://www.w3.org/TR/webrtc/#datachannel-receive-message */
	#receive(data: string | Uint8Array<ArrayBuffer>): void {
		// 3.
		if (this.readyState !== 'open') return;
		// 4. – 6.
		this.object.dispatchEvent(new MessageEvent('message', { data: this.#received(data) }));
	}

	#received(data: string | Uint8Array<ArrayBuffer>): string | Blob | ArrayBuffer {
		if (typeof data === 'string') return data;
		if (this.binaryType === 'blob') return new Blob([data]);
		const whole = data.byteLength === data.buffer.byteLength;
		return whole ? data.buffer : data.slice().buffer;
	}

	/** Keeps the order of messages while a Blob, which can only be read asynchronously, is before them. */
	#wait(message: Message): void {
		const { data, owned } = message;
		const kept = ArrayBuffer.isView(data) && !owned ? { ...message, data: data.slice(), owned: true } : message;
		this.#waiting.push(kept);
		this.#waitingBytes += message.size;
		if (this.#waiting.length === 1) void this.#drainWaiting();
	}

	async #drainWaiting(): Promise<void> {
		try {
			for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
				const { data } = next;
				const bytes = ArrayBuffer.isView(data) ? data : new Uint8Array(await data.arrayBuffer());
				// Nothing waits any more if the channel was closed meanwhile.
				if (this.#waiting.shift() === undefined) return;
				this.#waitingBytes -= next.size;
				this.#queue(bytes, next);
			}
		} catch (error) {
			// The Blob's file has changed or gone.
			this.failed((error as Error).message);
			return;
		}
		if (this.readyState === 'closing') this.#closeHandle();
	}

	#queue(bytes: Uint8Array<ArrayBuffer>, { text, owned }: Message): void {
		if (owned) this.#handle?.sendOwned(bytes, text);
		else this.#handle?.send(bytes);
	}

	#drained(): void {
		const before = this.#buffered;
		this.#buffered = this.bufferedAmount;
		if (this.#owner.isClosed || this.readyState === 'closed') return;
		if (before > this.lowThreshold && this.#buffered <= this.lowThreshold) {
			this.object.dispatchEvent(new Event('bufferedamountlow'));
		}
	}

	#fireError(errorDetail: RTCErrorDetailType, message: string, sctpCauseCode?: number): void {
		const error = new RTCError({ errorDetail, sctpCauseCode }, message);
		this.object.dispatchEvent(new RTCErrorEvent('error', { error }));
	}
}
