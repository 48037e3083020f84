/** A session: a worker's local socket, and the WebSocket of the shim that owns it, which may be replaced. */

import {
	CloseCode,
	isCounted,
	ProtocolError,
	parseAck,
	parsePing,
	RecordKind,
	VERSION,
	WINDOW,
} from '../shim/link/frames.ts';
import { Heartbeat } from '../shim/link/Heartbeat.ts';
import type { Welcome, WorkerClose, WorkerInfo } from '../shim/link/hello.ts';
import type { LocalSocket } from './LocalSocket.ts';
import { type Access, generateToken, RateLimit, toRaise } from './limits.ts';
import type { ShimSocket } from './ShimSocket.ts';

/** A shim pings after so long; the bridge asks only one that does not, as a hidden page may be late by a second. */
const HEARTBEAT_SECONDS = 5;
const SILENCE_MS = 7_000;
/** For the answer of the shim's host: 14 s in all. */
const PONG_MS = 7_000;
/** What may wait in memory for one side: far beyond the window, so only who breaks the protocol gets there. */
const MAX_WAITING = 32 << 20;

interface Frame {
	readonly payload: Buffer;
	readonly binary: boolean;
}

export interface SessionOptions {
	readonly id: string;
	readonly access: Access;
	readonly local: LocalSocket;
	readonly worker: WorkerInfo;
	/** How the worker ended, once it has. */
	readonly workerEnd: () => string;
	readonly graceSeconds: number;
	/** Whether the bridge has other users. */
	readonly shared: boolean;
	/** Called once, when the session has ended. */
	readonly onend: (code: number, reason: string) => void;
}

export class BridgeSession {
	readonly id: string;
	readonly key = generateToken();
	readonly access: Access;

	readonly #local: LocalSocket;
	readonly #options: SessionOptions;
	readonly #rate: RateLimit;
	#socket: ShimSocket | null = null;
	#ended = false;
	#heartbeat: Heartbeat | null = null;
	#grace: NodeJS.Timeout | undefined;
	#waitingSince: number | null = null;
	/** Counted frames that came from the shim and went on to the worker. */
	#received = 0;
	/** Counted frames for the shim that it has not acknowledged, and how many went before them. */
	#tail: Frame[] = [];
	#acknowledged = 0;
	/** Frames, counted as above, that an earlier socket may still hold: not all that was given to it has left. */
	#shared = 0;
	/** The worker's newest acknowledgement: not counted, so a resumed shim would never hear of it. */
	#workerAck: Buffer | null = null;

	constructor(options: SessionOptions) {
		this.#options = options;
		this.id = options.id;
		this.access = options.access;
		this.#local = options.local;
		this.#rate = new RateLimit(options.access.limits.framesPerSecond);
		this.#local.onframe = (payload, binary) => this.#fromWorker({ payload, binary });
		this.#local.onclose = () => this.end(CloseCode.workerDied, options.workerEnd());
	}

	/** When its socket was lost, in milliseconds of performance.now(); null while it has one. */
	get waitingSince(): number | null {
		return this.#waitingSince;
	}

	/** Makes `socket` the session's, in place of an older one. */
	attach(socket: ShimSocket): void {
		this.#adopt(socket, false);
	}

	/**
	 * As attach(), and sends again what came after the `received` counted frames that the shim has.
	 *
	 * @throws {ProtocolError} that many were never sent, or are not kept any more
	 */
	resume(socket: ShimSocket, received: number): void {
		this.#shared = this.#acknowledged + this.#tail.length;
		this.#acknowledge(received);
		// The worker's count ends in the shim, whose own acknowledgement may have been cut off.
		this.#local.send(`{"ack":${received}}`, false);
		this.#adopt(socket, true);
		if (this.#workerAck) this.#send({ payload: this.#workerAck, binary: false });
		for (const frame of this.#tail) this.#send(frame);
	}

	/** Ends the session on both sides. */
	end(code: number, reason: string): void {
		if (this.#ended) return;
		this.#ended = true;
		clearTimeout(this.#grace);
		this.#heartbeat?.stop();
		this.#tail = [];
		this.#local.end();
		closeSocket(this.#socket, code, reason);
		this.#options.onend(code, reason);
	}

	/** Takes a frame of the socket; others than the session's own are of an older one. */
	fromShim(socket: ShimSocket, payload: Buffer, binary: boolean): void {
		if (socket !== this.#socket || this.#ended) return;
		this.#heartbeat?.proved();
		try {
			this.#take({ payload, binary });
		} catch (error) {
			if (!(error instanceof ProtocolError)) throw error;
			this.end(CloseCode.protocol, error.message);
		}
	}

	#adopt(socket: ShimSocket, resumed: boolean): void {
		clearTimeout(this.#grace);
		this.#waitingSince = null;
		closeSocket(this.#socket, CloseCode.replaced, 'a newer socket took the session up');
		this.#socket = socket;
		this.#heartbeat?.stop();
		this.#heartbeat = watch(socket);
		socket.on('close', (code) => this.#closed(socket, code));
		socket.send(JSON.stringify({ hello: this.#welcome(resumed) }), { binary: false });
	}

	#welcome(resumed: boolean): Welcome {
		const { access, worker, graceSeconds, shared } = this.#options;
		return {
			version: VERSION,
			session: this.id,
			key: this.key,
			received: this.#received,
			resumed,
			shared,
			window: WINDOW,
			graceSeconds,
			heartbeatSeconds: HEARTBEAT_SECONDS,
			capabilities: [...access.capabilities],
			limits: { ...access.limits },
			worker,
		};
	}

	#closed(socket: ShimSocket, code: number): void {
		if (socket !== this.#socket || this.#ended) return;
		this.#socket = null;
		this.#heartbeat?.stop();
		// A shim that says goodbye, or a page that goes away, comes back no more; any other end may be the network's.
		if (code === CloseCode.ended || code === 1001) this.end(code, '');
		// The frame that was too large would come again.
		else if (code === 1009) this.#exceeded('a frame is too large');
		else this.#waitForResume();
	}

	#waitForResume(): void {
		this.#waitingSince = performance.now();
		const expired = () => this.end(CloseCode.unknownSession, 'past its grace time');
		this.#grace = setTimeout(expired, this.#options.graceSeconds * 1000);
		this.#grace.unref();
	}

	/** @throws {ProtocolError} an acknowledgement or a ping that is none */
	#take(frame: Frame): void {
		const { payload, binary } = frame;
		const { limits } = this.access;
		if (payload.length > limits.frame)
			this.#exceeded(`a frame of ${payload.length} bytes; ${limits.frame} are allowed; ${toRaise('frame')}`);
		else if (!this.#rate.take())
			this.#exceeded(`more than ${limits.framesPerSecond} frames a second; ${toRaise('framesPerSecond')}`);
		else if (!binary && startsWith(payload, '{"ping":')) this.#pong(payload.toString());
		else this.#forward(frame);
	}

	#forward(frame: Frame): void {
		const { payload, binary } = frame;
		if (!binary && startsWith(payload, '{"ack":')) this.#acknowledge(parseAck(payload.toString())!);
		else if (isCountedFrame(frame)) this.#received++;
		this.#local.send(payload, binary);
		if (this.#local.buffered > MAX_WAITING) this.#exceeded('more than the window is under way');
	}

	#exceeded(reason: string): void {
		this.end(CloseCode.limit, reason);
	}

	#pong(text: string): void {
		this.#send({ payload: Buffer.from(`{"pong":${parsePing(text)}}`), binary: false });
	}

	/** Forgets the counted frames that the shim has. */
	#acknowledge(count: number): void {
		const taken = count - this.#acknowledged;
		if (taken < 0 || taken > this.#tail.length) {
			const sent = this.#acknowledged + this.#tail.length;
			throw new ProtocolError(`${count} frames acknowledged; ${this.#acknowledged} were before, ${sent} are sent`);
		}
		for (const { payload } of this.#tail.splice(0, taken)) {
			if (this.#acknowledged++ >= this.#shared) this.#local.giveBack(payload);
		}
	}

	#fromWorker(frame: Frame): void {
		if (this.#ended) return;
		const { payload, binary } = frame;
		if (!binary && startsWith(payload, '{"close":')) {
			this.#closedByWorker(payload);
			return;
		}
		if (!binary && startsWith(payload, '{"ack":')) this.#workerAck = payload;
		else if (isCountedFrame(frame)) this.#tail.push(frame);
		this.#send(frame);
	}

	#closedByWorker(payload: Buffer): void {
		const { code, reason } = (JSON.parse(payload.toString()) as WorkerClose).close;
		this.end(code, reason);
	}

	#send({ payload, binary }: Frame): void {
		if (!this.#socket) return;
		this.#socket.send(payload, { binary });
		// Only media goes beyond the window: a shim that gave credit for it and does not read has a dead link.
		if (this.#socket.bufferedAmount > MAX_WAITING) this.#socket.terminate();
	}
}

/**
 * Terminates a socket whose other end is silent. It is asked by a ping of WebSocket, which a browser answers for a page
 * whose own timers sleep; the shim notices by itself when only what it sends arrives.
 */
function watch(socket: ShimSocket): Heartbeat {
	const heartbeat = new Heartbeat({
		interval: SILENCE_MS,
		patience: PONG_MS,
		ping: () => socket.ping(),
		dead: () => socket.terminate(),
	});
	socket.on('pong', () => heartbeat.proved());
	return heartbeat;
}

/** Closes with a reason of at most 123 bytes, as RFC 6455 has it. */
export function closeSocket(socket: ShimSocket | null, code: number, reason: string): void {
	if (!socket || socket.readyState > socket.OPEN) return;
	let text = reason;
	while (Buffer.byteLength(text) > 123) text = `${text.slice(0, Math.min(text.length - 2, 120))}…`;
	socket.close(code, text);
}

function isCountedFrame({ payload, binary }: Frame): boolean {
	return binary ? payload[0] !== RecordKind.media : isCounted(payload.toString('latin1', 0, 9));
}

function startsWith(payload: Buffer, start: string): boolean {
	return payload.length >= start.length && payload.toString('latin1', 0, start.length) === start;
}
