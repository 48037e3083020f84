import { captureCaller } from './errors.ts';
import type { Listener, Port } from './Port.ts';
import type { Scope } from './Scope.ts';
import type { Session } from './Session.ts';
import type { CallIn, CallName, CallOut, EventName, EventOut, MediaHeader, ObjectType } from './types.ts';
import type { Wire } from './Wire.ts';

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
	/** Called when the link was cut and is there again: media that was under way, in either direction, may be lost. */
	onresumed: (() => void) | null = null;
	/** Called once when the session failed: nothing more will come, and pending calls are rejected. */
	onlost: ((error: Error) => void) | null = null;

	readonly #scope: Scope | null;
	readonly #wire: Wire;
	readonly #port: Port;
	readonly #listeners = new Map<string, (out: never) => void>();

	/** Sessions make these: use a scope's create(). Of a scope that has ended, it is dead. */
	constructor(session: Session, wire: Wire, type: T, id: number, scope: Scope | null) {
		this.session = session;
		this.type = type;
		this.id = id;
		this.#scope = scope;
		this.#wire = wire;
		const listener: Listener = {
			event: (name, out) => this.#listeners.get(name)?.(out as never),
			message: (data) => this.onmessage?.(data),
			media: (header, planes) => this.onmedia?.(header, planes),
			buffered: (amount) => this.onbuffered?.(amount),
			resumed: () => this.onresumed?.(),
			lost: (error) => this.onlost?.(error),
		};
		this.#port = scope?.isDisposed ? wire.attachDead(id, listener) : wire.attach(id, listener);
	}

	/** Bytes given to send() that have not left the worker for the network; strings count as UTF-8. */
	get bufferedAmount(): number {
		return this.#port.bufferedAmount;
	}

	/**
	 * Calls the object; what it throws, it throws with the caller's stack. A failure that nobody awaits is no unhandled
	 * rejection: what is lost by it, the object itself reports.
	 *
	 * @throws {InvalidStateError} at once, when `params` name an object of another session
	 * @throws {DOMException | TypeError | RangeError} as the worker names it; InvalidStateError when the object was dropped
	 * or its session is lost
	 */
	call<M extends CallName<T>>(name: M, params: CallIn<T, M>): Promise<CallOut<T, M>> {
		return this.#call(name, params, false);
	}

	/** As call(), but sent when all that send() has queued was sent. */
	callAfterSent<M extends CallName<T>>(name: M, params: CallIn<T, M>): Promise<CallOut<T, M>> {
		return this.#call(name, params, true);
	}

	/** Listens to an event; each is dispatched in a macrotask of its own, in order with messages. One listener an event. */
	on<E extends EventName<T>>(event: E, listener: (out: EventOut<T, E>) => void): void {
		this.#listeners.set(event, listener);
	}

	/** Queues a channel message; bytes are copied. */
	send(data: string | Uint8Array<ArrayBuffer>): void {
		this.#port.send(data);
	}

	/** Queues a channel message whose bytes, UTF-8 if it is text, nobody will change: they are not copied. */
	sendOwned(bytes: Uint8Array<ArrayBuffer>, text: boolean): void {
		this.#port.sendOwned(bytes, text);
	}

	/**
	 * Offers a frame of media: sent if the stream has credit; else a picture waits, replacing one that waits already.
	 * The planes are read when they are sent: the caller does not change them.
	 *
	 * @returns whether nothing was lost by it: no frame replaced, none refused
	 */
	sendMedia(header: MediaHeader, planes: Uint8Array): boolean {
		return this.#port.sendMedia(header, planes);
	}

	/** Resolves when sendMedia() would send at once; also when it never will, since the object was dropped or lost. */
	mediaRoom(): Promise<void> {
		return this.#port.mediaRoom();
	}

	/** Forgets frames that sendMedia() took and that are not sent yet. */
	discardMedia(): void {
		this.#port.discardMedia();
	}

	/** Lets the worker send `frames` more frames of media. */
	credit(frames: number): void {
		this.#port.credit(frames);
	}

	/** Ends the object in the worker before its scope ends; nothing of it is heard any more. */
	drop(): void {
		this.#scope?.forget(this);
		this.#wire.drop(this.#port);
	}

	/** What stands for it in parameters. */
	toJSON(): number {
		return this.id;
	}

	#call<M extends CallName<T>>(name: M, params: CallIn<T, M>, afterSent: boolean): Promise<CallOut<T, M>> {
		const caller = captureCaller(afterSent ? this.callAfterSent : this.call);
		const reply = this.#wire.call(this.#port, name, params as object, caller, afterSent) as Promise<CallOut<T, M>>;
		reply.catch(() => {});
		return reply;
	}
}

/**
 * Puts ids in place of the handles that parameters of `session` name.
 *
 * @throws {InvalidStateError} a handle is of another session, where its id is another object's
 */
export function idsIn(session: Session): (this: Record<string, unknown>, key: string, value: unknown) => unknown {
	return function replace(key, value) {
		const named = this[key];
		if (!(named instanceof Remote) || named.session === session) return value;
		const which = `${key} names ${named.type} ${named.id} of another session`;
		throw new DOMException(`${which}; an object can be used only in the session that made it`, 'InvalidStateError');
	};
}
