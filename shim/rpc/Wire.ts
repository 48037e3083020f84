import { Dispatcher } from '../link/Dispatcher.ts';
import { type Frame, ProtocolError, parseRecords } from '../link/frames.ts';
import type { Welcome } from '../link/hello.ts';
import { Link } from '../link/Link.ts';
import type { LinkOptions } from '../link/options.ts';
import { Scheduler } from '../link/Scheduler.ts';
import { describeFrame } from './debug.ts';
import { type Caller, lostCall, lostSession, makeError } from './errors.ts';
import { type Listener, Port } from './Port.ts';
import type { ErrorInfo } from './schema.ts';

interface PendingCall {
	caller: Caller;
	resolve(out: unknown): void;
	reject(error: Error): void;
	/** Whose queued messages it waits for, if it does. */
	afterSent: Port | null;
}

/** A text frame of the worker. */
interface TextFrame {
	reply?: number;
	event?: string;
	on?: number;
	out?: unknown;
	error?: ErrorInfo;
}

export interface WireOptions extends Omit<LinkOptions, 'onwelcome' | 'onframe' | 'onfailure' | 'debug'> {
	onwelcome(welcome: Welcome): void;
	/** The session is lost, as of now. */
	onlost(error: Error): void;
	/** Every object has heard that it is lost. */
	onfailure(error: Error): void;
	/** The number of pending calls went from none to some, or back. */
	onbusy(busy: boolean): void;
	/** Takes each value of parameters, as JSON.stringify's replacer does. */
	replacer?: (this: Record<string, unknown>, key: string, value: unknown) => unknown;
	debug?: (line: string) => void;
}

/** The untyped part of a session: frames to calls, replies, events and records, each dispatched in order. */
export class Wire {
	readonly scheduler = new Scheduler();
	readonly #options: WireOptions;
	readonly #link: Link;
	readonly #dispatcher: Dispatcher;
	readonly #ports = new Map<number, Port>();
	readonly #calls = new Map<number, PendingCall>();
	#lastCall = 0;
	#hasBegun = false;
	#lost: DOMException | null = null;

	constructor(options: WireOptions) {
		this.#options = options;
		const { debug } = options;
		this.#link = new Link(
			{
				...options,
				onwelcome: (welcome) => this.#welcomed(welcome),
				onframe: (frame, size) => this.#receive(frame, size),
				onfailure: (error) => this.#lose(lostSession(error, this.#hasBegun)),
				debug: debug && ((direction, frame) => debug(`${direction} ${describeFrame(frame)}`)),
			},
			this.scheduler,
		);
		this.#dispatcher = new Dispatcher((frames, bytes) => this.#link.took(frames, bytes));
	}

	/** Whether the session is lost, so that nothing is sent any more. */
	get lost(): boolean {
		return this.#lost !== null;
	}

	/** Gives an object its place; when the session is lost already, it hears so in a task. */
	attach(id: number, listener: Listener): Port {
		const port = new Port(this, id, listener);
		this.#ports.set(id, port);
		const lost = this.#lost;
		if (lost !== null) this.#dispatcher.push(() => listener.lost(lost));
		return port;
	}

	/** A place for an object that the worker never has: it hears in a task that it is lost. */
	attachDead(id: number, listener: Listener): Port {
		const error = this.#lost ?? new Error('its owner had ended');
		this.#dispatcher.push(() => listener.lost(error));
		return new Port(this, id, listener);
	}

	/** Whether what is sent to the object reaches it: it was not dropped, and the session is not lost. */
	reaches(port: Port): boolean {
		return this.#lost === null && this.#ports.get(port.id) === port;
	}

	/** Makes an object in the worker. */
	create(id: number, type: string, params: object): void {
		this.#text(this.#encode({ new: id, type, in: params }));
	}

	/** Ends an object in the worker; nothing of it is heard any more. */
	drop(port: Port): void {
		if (!this.#ports.delete(port.id)) return;
		port.discard();
		for (const [number, call] of this.#calls) {
			// It may have been among what was discarded, and is then never answered.
			if (call.afterSent === port) this.#dispatcher.push(() => this.#settle(number, { error: DROPPED }));
		}
		this.#text(JSON.stringify({ drop: port.id }));
	}

	/** Calls an object, `afterSent` once all that it has queued was sent. */
	call(port: Port, name: string, params: object, caller: Caller, afterSent: boolean): Promise<unknown> {
		if (this.#lost !== null) return Promise.reject(lostCall(this.#lost, caller));
		if (this.#ports.get(port.id) !== port) return Promise.reject(makeError(DROPPED, caller));
		const number = this.#lastCall + 1;
		const text = this.#encode({ call: number, on: port.id, do: name, in: params });
		this.#lastCall = number;
		const promise = new Promise<unknown>((resolve, reject) => {
			this.#calls.set(number, { caller, resolve, reject, afterSent: afterSent ? port : null });
		});
		if (this.#calls.size === 1) this.#options.onbusy(true);
		const { stream } = port;
		if (afterSent && stream && stream.items.length > 0) {
			this.scheduler.textInOrder(stream, text);
			this.wake();
		} else this.#text(text);
		return promise;
	}

	wake(): void {
		this.#link.wake();
	}

	/** Runs `run` in a macrotask of its own, unless the object was dropped meanwhile. */
	dispatch(port: Port, run: () => void): void {
		this.#dispatcher.push(() => {
			if (this.#ports.get(port.id) === port) run();
		});
	}

	close(): Promise<void> {
		const closed = this.#link.close();
		this.#lose(new DOMException('the session was closed', 'InvalidStateError'));
		return closed;
	}

	#encode(frame: object): string {
		const text = JSON.stringify(frame, this.#options.replacer);
		return text.includes('\\ud') ? withoutSurrogates(text) : text;
	}

	#text(text: string): void {
		if (this.#lost !== null) return;
		this.scheduler.control(text);
		this.wake();
	}

	#welcomed(welcome: Welcome): void {
		this.#hasBegun = true;
		if (welcome.resumed) for (const port of this.#ports.values()) port.resumed();
		else this.#options.onwelcome(welcome);
	}

	#receive(frame: Frame, size: number): void {
		if (typeof frame === 'string') this.#receiveText(frame);
		else for (const record of parseRecords(frame)) this.#ports.get(record.object)?.receive(record);
		if (size > 0) this.#dispatcher.endFrame(size);
	}

	#receiveText(text: string): void {
		const frame = parseText(text);
		if (typeof frame.reply === 'number') {
			const number = frame.reply;
			this.#dispatcher.push(() => this.#settle(number, frame));
			return;
		}
		if (typeof frame.event !== 'string') throw new ProtocolError('a text frame that is neither reply nor event');
		const { event, out } = frame;
		const port = this.#ports.get(frame.on ?? -1);
		// Of an object dropped here, some may still come.
		if (port) this.dispatch(port, () => port.listener.event(event, out));
	}

	#settle(number: number, { out, error }: TextFrame): void {
		const call = this.#take(number);
		if (error) call?.reject(makeError(error, call.caller));
		else call?.resolve(out);
	}

	/** A call that is over now. */
	#take(number: number): PendingCall | undefined {
		const call = this.#calls.get(number);
		this.#calls.delete(number);
		if (call && this.#calls.size === 0) this.#options.onbusy(false);
		return call;
	}

	/** Everything fails, in order with what came before. */
	#lose(error: DOMException): void {
		if (this.#lost !== null) return;
		this.#lost = error;
		this.#options.onlost(error);
		for (const number of this.#calls.keys()) {
			this.#dispatcher.push(() => {
				const call = this.#take(number);
				call?.reject(lostCall(error, call.caller));
			});
		}
		for (const port of this.#ports.values()) {
			port.discard();
			this.dispatch(port, () => port.listener.lost(error));
		}
		this.#dispatcher.push(() => this.#options.onfailure(error));
	}
}

const DROPPED: ErrorInfo = { name: 'InvalidStateError', message: 'the object was dropped' };

function parseText(text: string): TextFrame {
	try {
		const frame: unknown = JSON.parse(text);
		if (typeof frame === 'object' && frame !== null) return frame;
	} catch {}
	throw new ProtocolError('a text frame that is no object of JSON');
}

/**
 * JSON whose strings are well-formed: what crosses is UTF-8 in the end, as in a description or a STUN attribute, and there
 * a lone surrogate is U+FFFD. JSON.stringify writes one as an escape, and pairs as they are.
 */
function withoutSurrogates(json: string): string {
	return json.replace(/\\(?:u(d[89a-f])..|.)/g, (escaped, lone?: string) => (lone ? '\ufffd' : escaped));
}
