import { isArrayBuffer, isUint8Array } from '../webidl/buffers.ts';
import { Connector } from './Connector.ts';
import { CloseCode, type Frame, frameSize, isCounted, ProtocolError, parseAck, parsePong, WINDOW } from './frames.ts';
import { Heartbeat } from './Heartbeat.ts';
import type { Welcome } from './hello.ts';
import { LinkError, type LinkOptions } from './options.ts';
import type { Scheduler } from './Scheduler.ts';
import type { Socket } from './Socket.ts';
import { Tail } from './Tail.ts';
import { timer } from './timer.ts';

/** What was taken is acknowledged after so many bytes at the latest, or after so many milliseconds. */
const ACK_BYTES = 64 * 1024;
const ACK_DELAY = 20;
/** Milliseconds that close() waits for the other end. */
const CLOSE_PATIENCE = 1000;
/** Heartbeats that a ping may take: 5 s and 8 s leave a hidden page, whose timers keep to the second, within 15 s. */
const PING_PATIENCE = 1.6;

/**
 * The shim's end of a session's link: sends what the scheduler has within the window, counts and acknowledges what comes,
 * and outlives its socket. Of the sockets it opens, the newest alone counts.
 */
export class Link {
	readonly #options: LinkOptions;
	readonly #scheduler: Scheduler;
	readonly #connector: Connector;
	readonly #tail: Tail;
	#socket: Socket | null = null;
	#heartbeat: Heartbeat | null = null;
	#waking = false;
	#ended = false;
	/** Counted frames that came, that were taken, and that the other end knows of. */
	#received = 0;
	#taken = 0;
	#acked = 0;
	#unackedBytes = 0;
	#stopAckTimer: (() => void) | null = null;
	#pings = 0;

	constructor(options: LinkOptions, scheduler: Scheduler) {
		this.#options = options;
		this.#scheduler = scheduler;
		this.#tail = new Tail(WINDOW, scheduler.buffers);
		this.#connector = new Connector(options, {
			welcomed: (socket, welcome) => this.#welcomed(socket, welcome),
			refused: (error) => this.#fail(error),
		});
		this.#connector.connect(null);
	}

	/** Sends what the scheduler has, once the caller's turn is over, so that what is queued together goes together. */
	wake(): void {
		if (this.#waking || this.#socket === null) return;
		this.#waking = true;
		queueMicrotask(this.#flush);
	}

	/** All of `frames` counted frames, of `bytes` together, was dispatched. */
	took(frames: number, bytes: number): void {
		this.#taken += frames;
		this.#unackedBytes += bytes;
		if (this.#unackedBytes >= ACK_BYTES) this.#acknowledge();
		else this.#stopAckTimer ??= timer(ACK_DELAY, () => this.#acknowledge());
	}

	/** Ends the session: sends what may go, then closes. Resolves when the socket is closed. */
	close(): Promise<void> {
		this.#flush();
		return this.#end(CloseCode.ended, 'closed');
	}

	readonly #flush = (): void => {
		this.#waking = false;
		while (this.#socket !== null) {
			const frame = this.#scheduler.next(this.#tail.room);
			if (frame === null) return;
			if (isCounted(frame)) this.#tail.push(frame);
			this.#send(frame);
		}
	};

	#send(frame: Frame): void {
		this.#options.debug?.('→', frame);
		this.#socket?.send(frame);
	}

	#acknowledge(): void {
		this.#stopAckTimer?.();
		this.#stopAckTimer = null;
		if (this.#taken <= this.#acked || this.#socket === null) return;
		this.#acked = this.#taken;
		this.#unackedBytes = 0;
		this.#send(`{"ack":${this.#taken}}`);
	}

	// A socket's life

	#welcomed(socket: Socket, welcome: Welcome): void {
		this.#socket = socket;
		this.#tail.window = welcome.window;
		this.#scheduler.shared = welcome.shared;
		socket.onmessage = ({ data }: { data: unknown }) => this.#guard(socket, () => this.#receive(data));
		socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.#lost(socket, code, reason);
		const interval = welcome.heartbeatSeconds * 1000;
		this.#heartbeat = new Heartbeat({
			interval,
			patience: interval * PING_PATIENCE,
			ping: () => this.#send(`{"ping":${++this.#pings}}`),
			dead: () => this.#abandon(socket, 'the bridge does not answer'),
		});
		this.#guard(socket, () => {
			if (welcome.resumed) this.#resume(welcome.received);
			this.#options.onwelcome(welcome);
			this.#flush();
		});
	}

	/** Sends again what the bridge has not had; hello told it what came here, which is as good as an acknowledgement. */
	#resume(received: number): void {
		this.#acked = this.#received;
		const unheard = this.#tail.resume(received);
		this.#scheduler.discardMedia();
		for (const frame of unheard) this.#send(frame);
	}

	#receive(data: unknown): void {
		const frame = toFrame(data);
		this.#heartbeat?.heard(frame.length);
		this.#options.debug?.('←', frame);
		if (typeof frame === 'string') {
			const ack = parseAck(frame);
			if (ack !== null) {
				this.#tail.acknowledge(ack);
				this.wake();
			}
			// Either is an answer to a frame of ours.
			if (ack !== null || parsePong(frame) !== null) {
				this.#heartbeat?.proved();
				return;
			}
		}
		const counted = isCounted(frame);
		if (counted) this.#received += 1;
		this.#options.onframe(frame, counted ? frameSize(frame) : 0);
	}

	#lost(socket: Socket, code: number, reason: string): void {
		if (socket !== this.#socket) return;
		this.#drop();
		if (this.#ended) return;
		if (code >= 4000 || code === CloseCode.ended) this.#fail(new LinkError(code, reason));
		else this.#connector.connect(this.#received);
	}

	/** Gives a socket up that does not say by itself that it is dead. */
	#abandon(socket: Socket, reason: string): void {
		socket.close();
		this.#lost(socket, 1006, reason);
	}

	#guard(socket: Socket, run: () => void): void {
		if (socket !== this.#socket) return;
		try {
			run();
		} catch (error) {
			if (!(error instanceof ProtocolError)) throw error;
			void this.#end(CloseCode.protocol, error.message);
			this.#options.onfailure(new LinkError(CloseCode.protocol, error.message));
		}
	}

	#drop(): void {
		this.#heartbeat?.stop();
		this.#stopAckTimer?.();
		this.#stopAckTimer = null;
		this.#socket = null;
	}

	#fail(error: Error): void {
		if (this.#ended) return;
		void this.#end(CloseCode.ended, 'failed');
		this.#options.onfailure(error);
	}

	async #end(code: number, reason: string): Promise<void> {
		this.#ended = true;
		const socket = this.#socket;
		this.#drop();
		const closed = Promise.all([this.#connector.stop(), socket && closeSocket(socket, code, truncate(reason))]);
		let stopTimer = () => {};
		const patience = new Promise<void>((resolve) => {
			stopTimer = timer(CLOSE_PATIENCE, resolve);
		});
		await Promise.race([closed, patience]);
		stopTimer();
	}
}

/** Resolves when the socket is closed. */
function closeSocket(socket: Socket, code: number, reason: string): Promise<void> {
	return new Promise((resolve) => {
		socket.onclose = () => resolve();
		socket.close(code, reason);
	});
}

function toFrame(data: unknown): Frame {
	if (typeof data === 'string') return data;
	if (isArrayBuffer(data)) return new Uint8Array(data);
	if (isUint8Array(data)) return data as Uint8Array<ArrayBuffer>;
	throw new ProtocolError(`a frame that is neither text nor an ArrayBuffer: ${Object.prototype.toString.call(data)}`);
}

/** A close reason has at most 123 bytes of UTF-8. */
function truncate(reason: string): string {
	return frameSize(reason) <= 123 ? reason : `${reason.slice(0, 40)}…`;
}
