import type { Session } from './Session.ts';
import type { CallIn, CallName, CallOut, EventName, EventOut, MediaHeader, ObjectType } from './types.ts';

/** The shim's end of an object in the worker. */
export class Remote<T extends ObjectType> {
	readonly session: Session;
	readonly type: T;
	readonly id: number;

	/** Takes whole channel messages. */
	onmessage: ((data: string | Uint8Array<ArrayBuffer>) => void) | null = null;
	/** Takes frames of media. */
	onmedia: ((header: MediaHeader, planes: Uint8Array<ArrayBuffer>) => void) | null = null;
	/** Called with what is left after the worker has let some of what send() queued leave for the network. */
	onbuffered: ((amount: number) => void) | null = null;
	/** Called once when the session failed: nothing more will come, and pending calls are rejected. */
	onlost: ((error: Error) => void) | null = null;

	constructor(session: Session, type: T, id: number) {
		this.session = session;
		this.type = type;
		this.id = id;
	}

	/** Bytes given to send() that have not left the worker for the network; strings count as UTF-8. */
	get bufferedAmount(): number {
		throw new Error('not yet');
	}

	/**
	 * Calls the object; what it throws, it throws with the caller's stack.
	 *
	 * @throws {DOMException | TypeError | RangeError} as the worker names it; InvalidStateError when the session is lost
	 */
	call<M extends CallName<T>>(_name: M, _params: CallIn<T, M>): Promise<CallOut<T, M>> {
		throw new Error('not yet');
	}

	/** As call(), but sent when all that send() has queued was sent. */
	callAfterSent<M extends CallName<T>>(_name: M, _params: CallIn<T, M>): Promise<CallOut<T, M>> {
		throw new Error('not yet');
	}

	/** Listens to an event; each is dispatched in a macrotask of its own, in order with messages. One listener an event. */
	on<E extends EventName<T>>(_event: E, _listener: (out: EventOut<T, E>) => void): void {
		throw new Error('not yet');
	}

	/** Queues a channel message. The bytes are read when they are sent: the caller does not change them. */
	send(_data: string | Uint8Array): void {
		throw new Error('not yet');
	}

	/**
	 * Offers a frame of media: sent if the stream has credit; else it waits, replacing a video frame that waits.
	 *
	 * @returns whether nothing was lost by it: no frame replaced, none refused
	 */
	sendMedia(_header: MediaHeader, _planes: Uint8Array): boolean {
		throw new Error('not yet');
	}

	/** Lets the worker send `frames` more frames of media. */
	credit(_frames: number): void {
		throw new Error('not yet');
	}

	/** Ends the object in the worker; nothing of it is heard any more. */
	drop(): void {
		throw new Error('not yet');
	}
}
