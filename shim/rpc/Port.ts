import { CreditFlag, ProtocolError, RecordKind, type WireRecord } from '../link/frames.ts';
import { type Lane, Stream } from '../link/Stream.ts';
import { MediaAssembly, MessageAssembly } from './assembly.ts';
import type { MediaHeader } from './types.ts';
import type { Wire } from './Wire.ts';

/** Frames of media that may be under way: raw pictures one by one; of sound, in frames of 20 ms, a second. */
const MEDIA_CREDIT = { audio: 50, video: 1 };

const encoder = new TextEncoder();

/** Who hears of an object; each call is in a macrotask of its own. */
export interface Listener {
	event(name: string, out: unknown): void;
	message(data: string | Uint8Array<ArrayBuffer>): void;
	media(header: MediaHeader, planes: Uint8Array<ArrayBuffer>): void;
	buffered(amount: number): void;
	/** A new socket took the session up: media that was under way, in either direction, may be lost. */
	resumed(): void;
	lost(error: Error): void;
}

/** An object's place on the wire: its queue, its credits, and what came of a message or frame. Knows no types. */
export class Port {
	readonly id: number;
	readonly listener: Listener;
	#bufferedAmount = 0;
	readonly #wire: Wire;
	readonly #messages = new MessageAssembly();
	readonly #media = new MediaAssembly();
	#stream: Stream | null = null;
	#mediaCredit = 0;
	/** A picture that waits for credit; the latest wins. */
	#waiting: { header: Uint8Array; planes: Uint8Array } | null = null;
	/** Who waits for media credit. */
	#onroom: (() => void)[] = [];
	/** Frames of media that the worker may still send. */
	#due = 0;

	constructor(wire: Wire, id: number, listener: Listener) {
		this.#wire = wire;
		this.id = id;
		this.listener = listener;
	}

	get bufferedAmount(): number {
		return this.#bufferedAmount;
	}

	/** What the object has queued and not sent, if it ever queued anything. */
	get stream(): Stream | null {
		return this.#stream;
	}

	send(data: string | Uint8Array<ArrayBuffer>): void {
		if (typeof data === 'string') this.sendOwned(encoder.encode(data), true);
		else this.#send(data, false, false);
	}

	sendOwned(bytes: Uint8Array<ArrayBuffer>, text: boolean): void {
		this.#send(bytes, text, true);
	}

	sendMedia(header: MediaHeader, planes: Uint8Array): boolean {
		if (!this.#wire.reaches(this)) return false;
		const lane = 'width' in header ? 'video' : 'audio';
		const fresh = this.#stream === null;
		const stream = this.#lane(lane);
		if (fresh) this.#mediaCredit = MEDIA_CREDIT[lane];
		const frame = { header: encoder.encode(JSON.stringify(header)), planes };
		if (this.#mediaCredit > 0) {
			this.#mediaCredit -= 1;
			this.#wire.scheduler.media(stream, frame.header, frame.planes);
			this.#wire.wake();
			return true;
		}
		const lost = lane === 'audio' || this.#waiting !== null;
		if (lane === 'video') this.#waiting = frame;
		return !lost;
	}

	/** Resolves when a frame of media would be sent at once; also when it never will be, since the object is gone. */
	async mediaRoom(): Promise<void> {
		if (this.#stream === null || this.#mediaCredit > 0 || !this.#wire.reaches(this)) return;
		await new Promise<void>((resolve) => this.#onroom.push(resolve));
	}

	credit(frames: number): void {
		if (!this.#wire.reaches(this)) return;
		this.#due += frames;
		this.#wire.scheduler.credit(this.id, frames);
		this.#wire.wake();
	}

	/** Takes a record; what it completes is queued for dispatch. */
	receive(record: WireRecord): void {
		switch (record.kind) {
			case RecordKind.message: {
				const message = this.#messages.take(record);
				if (message !== null) this.#wire.dispatch(this, () => this.listener.message(message));
				return;
			}
			case RecordKind.media: {
				const frame = this.#media.take(record);
				if (frame === null) return;
				this.#due = Math.max(0, this.#due - 1);
				this.#wire.dispatch(this, () => this.listener.media(frame.header, frame.planes));
				return;
			}
			case RecordKind.credit:
				this.#credited(record.payload);
		}
	}

	/** A new socket took the session up. Media was not sent again, so its credits begin anew. */
	resumed(): void {
		this.#media.reset();
		const lane = this.#stream?.lane ?? 'data';
		if (lane !== 'data') {
			this.#mediaCredit = MEDIA_CREDIT[lane];
			this.#sendWaiting();
		}
		if (this.#due > 0) this.#wire.scheduler.credit(this.id, this.#due, CreditFlag.absolute);
		this.listener.resumed();
	}

	/** Forgets frames of media that are not sent, whose credit is free again. */
	discardMedia(): void {
		if (this.#stream === null || this.#stream.lane === 'data') return;
		this.#mediaCredit += this.#stream.items.length;
		this.#wire.scheduler.discard(this.#stream);
		this.#waiting = null;
	}

	/** Forgets what was queued. */
	discard(): void {
		if (this.#stream) this.#wire.scheduler.discard(this.#stream);
		this.#waiting = null;
		this.#giveRoom();
	}

	#send(bytes: Uint8Array<ArrayBuffer>, text: boolean, owned: boolean): void {
		this.#bufferedAmount += bytes.byteLength;
		if (!this.#wire.reaches(this)) return;
		this.#wire.scheduler.message(this.#lane('data'), bytes, text, owned);
		this.#wire.wake();
	}

	#credited(payload: Uint8Array<ArrayBuffer>): void {
		if (payload.byteLength !== 4) throw new ProtocolError(`a credit of ${payload.byteLength} bytes; it has 4`);
		const amount = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
		if (this.#stream === null) return;
		if (this.#stream.lane !== 'data') {
			this.#mediaCredit = Math.min(MEDIA_CREDIT[this.#stream.lane], this.#mediaCredit + amount);
			this.#sendWaiting();
			return;
		}
		// The credit counts at once, so that sending goes on; what the application sees changes in its own task.
		const bytes = this.#wire.scheduler.credited(this.#stream, amount);
		this.#wire.wake();
		if (bytes === 0) return;
		this.#wire.dispatch(this, () => {
			this.#bufferedAmount -= bytes;
			this.listener.buffered(this.#bufferedAmount);
		});
	}

	#giveRoom(): void {
		for (const resolve of this.#onroom.splice(0)) resolve();
	}

	/** Uses credit that came. */
	#sendWaiting(): void {
		if (this.#stream === null || this.#mediaCredit === 0) return;
		if (this.#waiting === null) {
			this.#giveRoom();
			return;
		}
		const { header, planes } = this.#waiting;
		this.#waiting = null;
		this.#mediaCredit -= 1;
		this.#wire.scheduler.media(this.#stream, header, planes);
		this.#wire.wake();
	}

	#lane(lane: Lane): Stream {
		this.#stream ??= new Stream(this.id, lane);
		return this.#stream;
	}
}
