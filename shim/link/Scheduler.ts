import { BufferPool } from './BufferPool.ts';
import {
	FRAGMENT,
	type Frame,
	frameSize,
	MediaFlag,
	MessageFlag,
	RECORD_HEADER,
	RecordKind,
	writeRecordHeader,
} from './frames.ts';
import { Queue } from './Queue.ts';
import type { Lane, Media, Message, Stream } from './Stream.ts';

/** Bytes that are kept for messages and frames to come. */
const KEPT = 1024 * 1024;
/** A window with less room than this waits for an acknowledgement, rather than cutting messages into crumbs. */
const LEAST_ROOM = 4096;

interface Credit {
	id: number;
	amount: number;
	flags: number;
}

interface Piece {
	id: number;
	flags: number;
	bytes: Uint8Array<ArrayBuffer>;
}

/**
 * What a session has to send, and in which order: control, then audio, then video, then data, channel by channel.
 * It gives one frame at a time, so that what is urgent never waits for more than that.
 */
export class Scheduler {
	/** Memory of what is queued, and of frames: theirs is to be given back once nobody reads them any more. */
	readonly buffers = new BufferPool(KEPT);
	/** Whether others share the bridge and its workers: what one channel has under way there then waits in their way. */
	shared = false;
	readonly #control = new Queue<string | Credit[]>();
	readonly #lanes: Record<Lane, Queue<Stream>> = { audio: new Queue(), video: new Queue(), data: new Queue() };

	/** Queues a text frame ahead of all media and messages. */
	control(text: string): void {
		this.#control.push(text);
	}

	/** Queues a credit, in order with control; those that wait side by side share a frame. */
	credit(id: number, amount: number, flags = 0): void {
		const last = this.#control.last();
		const credit = { id, amount, flags };
		if (Array.isArray(last) && last.length < 1024) last.push(credit);
		else this.#control.push([credit]);
	}

	/** Queues a message of a channel, as its bytes are now; those that are `owned` nobody else reads or changes. */
	message(stream: Stream, data: Uint8Array<ArrayBuffer>, text: boolean, owned = false): void {
		const bytes = owned ? data : this.buffers.take(data.byteLength);
		if (!owned) bytes.set(data);
		stream.items.push({ bytes, text });
		this.#enter(stream);
	}

	/** Queues a text frame behind the messages of its object. */
	textInOrder(stream: Stream, text: string): void {
		stream.items.push(text);
		this.#enter(stream);
	}

	/** Queues a frame of media. */
	media(stream: Stream, header: Uint8Array, planes: Uint8Array): void {
		stream.items.push({ media: mediaChunks(stream.id, header, planes) });
		this.#enter(stream);
	}

	/** Takes a credit for a channel; returns the bytes of messages that left for the network. */
	credited(stream: Stream, amount: number): number {
		const bytes = stream.credited(amount);
		this.#enter(stream);
		return bytes;
	}

	/** Forgets what an object had to send. */
	discard(stream: Stream): void {
		stream.items.clear();
		stream.sent = 0;
		if (!stream.queued) return;
		stream.queued = false;
		this.#lanes[stream.lane].filter((other) => other !== stream);
	}

	/** Forgets all media: what of it was cut off with its socket cannot be completed, and is not sent again. */
	discardMedia(): void {
		for (const lane of [this.#lanes.audio, this.#lanes.video]) for (const stream of [...lane]) this.discard(stream);
	}

	/**
	 * The next frame to send, or null.
	 *
	 * @param room bytes that the window has left for counted frames; media is not counted, and goes on without any
	 */
	next(room: number): Frame | null {
		const first = this.#control.peek();
		if (first !== undefined) {
			const frame = typeof first === 'string' ? first : creditFrame(first);
			if (frameSize(frame) <= room) {
				this.#control.shift();
				return frame;
			}
			room = 0;
		}
		return this.#nextMedia(this.#lanes.audio) ?? this.#nextMedia(this.#lanes.video) ?? this.#nextData(room);
	}

	#nextMedia(ring: Queue<Stream>): Frame | null {
		for (let stream = ring.peek(); stream !== undefined; stream = ring.peek()) {
			const { media } = stream.items.peek() as { media: Media };
			const chunk = media.next();
			if (!chunk.done) return chunk.value;
			this.#turn(ring, stream, true);
		}
		return null;
	}

	#nextData(room: number): Frame | null {
		const ring = this.#lanes.data;
		if (room < LEAST_ROOM) return null;
		const budget = Math.min(room, FRAGMENT + RECORD_HEADER);
		const pieces: Piece[] = [];
		let size = 0;
		for (let stream = ring.peek(); stream !== undefined; stream = ring.peek()) {
			const item = stream.items.peek() as string | Message;
			if (typeof item === 'string') {
				if (size > 0 || frameSize(item) > room) break;
				this.#turn(ring, stream, true);
				return item;
			}
			const allowance = stream.allowance(this.shared);
			if (allowance === null) {
				ring.shift();
				stream.queued = false;
				continue;
			}
			if (size > 0 && size + RECORD_HEADER + allowance > budget) break;
			const length = Math.min(allowance, budget - size - RECORD_HEADER);
			pieces.push(this.#take(ring, stream, item, length));
			size += RECORD_HEADER + length;
		}
		return size > 0 ? messageFrame(this.buffers, pieces, size) : null;
	}

	#take(ring: Queue<Stream>, stream: Stream, { bytes, text }: Message, length: number): Piece {
		const end = stream.sent + length;
		const whole = end === bytes.byteLength;
		const piece = {
			id: stream.id,
			flags: (text ? MessageFlag.text : 0) | (whole ? 0 : MessageFlag.more),
			bytes: length === bytes.byteLength ? bytes : bytes.subarray(stream.sent, end),
		};
		stream.sent = whole ? 0 : end;
		stream.went(length);
		this.#turn(ring, stream, whole);
		return piece;
	}

	/** Gives the next stream of a ring its turn; `done` says that the first item of this one went. */
	#turn(ring: Queue<Stream>, stream: Stream, done: boolean): void {
		if (done) stream.items.shift();
		ring.shift();
		stream.queued = false;
		this.#enter(stream);
	}

	#enter(stream: Stream): void {
		if (stream.queued || stream.allowance(this.shared) === null) return;
		stream.queued = true;
		this.#lanes[stream.lane].push(stream);
	}
}

function messageFrame(buffers: BufferPool, pieces: Piece[], size: number): Uint8Array<ArrayBuffer> {
	const frame = buffers.take(size);
	const view = new DataView(frame.buffer, frame.byteOffset);
	let offset = 0;
	for (const { id, flags, bytes } of pieces) {
		writeRecordHeader(view, offset, RecordKind.message, flags, id, bytes.byteLength);
		frame.set(bytes, offset + RECORD_HEADER);
		offset += RECORD_HEADER + bytes.byteLength;
		if (!(flags & MessageFlag.more)) buffers.give(bytes);
	}
	return frame;
}

function creditFrame(credits: Credit[]): Uint8Array<ArrayBuffer> {
	const frame = new Uint8Array(credits.length * (RECORD_HEADER + 4));
	const view = new DataView(frame.buffer);
	credits.forEach(({ id, amount, flags }, i) => {
		const offset = i * (RECORD_HEADER + 4);
		writeRecordHeader(view, offset, RecordKind.credit, flags, id, 4);
		view.setUint32(offset + RECORD_HEADER, amount);
	});
	return frame;
}

/** Cuts a frame of media, `[u32 header length][header][planes]`, into frames of the wire. */
function* mediaChunks(id: number, header: Uint8Array, planes: Uint8Array): Media {
	const prefix = new Uint8Array(4 + header.byteLength);
	new DataView(prefix.buffer).setUint32(0, header.byteLength);
	prefix.set(header, 4);
	const total = prefix.byteLength + planes.byteLength;
	for (let start = 0; start < total; start += FRAGMENT) {
		const end = Math.min(start + FRAGMENT, total);
		const flags = (end < total ? MediaFlag.more : 0) | (start > 0 ? MediaFlag.continues : 0);
		const frame = new Uint8Array(RECORD_HEADER + end - start);
		writeRecordHeader(new DataView(frame.buffer), 0, RecordKind.media, flags, id, end - start);
		const head = prefix.subarray(start, end);
		frame.set(head, RECORD_HEADER);
		const from = Math.max(0, start - prefix.byteLength);
		frame.set(planes.subarray(from, Math.max(0, end - prefix.byteLength)), RECORD_HEADER + head.byteLength);
		yield frame;
	}
}
