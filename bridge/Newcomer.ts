/** A WebSocket on its way to a session: bounded in time and bytes until it has said hello. */

import type { Duplex } from 'node:stream';
import { CloseCode } from '../shim/link/frames.ts';
import { HELLO_MS } from './handshake.ts';
import type { ShimSocket } from './ShimSocket.ts';
import { type BridgeSession, closeSocket } from './session.ts';

/** Bytes that may come before hello is understood: of hello, and of what a shim sends right behind it. */
const MAX_EARLY_BYTES = 256 * 1024;

type Frame = [payload: Buffer, binary: boolean];

export class Newcomer {
	/** The first frame; never settles when the socket is closed before it comes. */
	readonly hello: Promise<Frame>;

	readonly #socket: ShimSocket;
	readonly #stream: Duplex | undefined;
	readonly #timer: NodeJS.Timeout;
	/** What came behind hello, while there is no session to take it. */
	readonly #waiting: Frame[] = [];
	#bytes = 0;
	#session: BridgeSession | null = null;

	/** @param stream the connection under `socket`, whose bytes are counted as they come and not as whole frames; none within a process */
	constructor(socket: ShimSocket, stream?: Duplex) {
		this.#socket = socket;
		this.#stream = stream;
		// What is wrong with a socket is told by its close.
		socket.on('error', () => {});
		socket.on('close', () => this.#stopGuarding());
		stream?.on('data', this.#count);
		const late = () => closeSocket(socket, CloseCode.token, `no hello within ${HELLO_MS / 1000} s`);
		this.#timer = setTimeout(late, HELLO_MS);
		this.#timer.unref();
		this.hello = new Promise((resolve) => {
			socket.once('message', (...frame: Frame) => {
				this.#stopGuarding();
				// What it sends next waits in its kernel while the session is made; what was read already, here.
				socket.pause();
				socket.on('message', this.#take);
				resolve(frame);
			});
		});
	}

	/** Hands over to a session, what waited first. */
	admit(session: BridgeSession): void {
		this.#session = session;
		for (const frame of this.#waiting.splice(0)) this.#take(...frame);
		this.#socket.resume();
	}

	/** Closes the socket. */
	dismiss(code: number, reason: string): void {
		this.#socket.resume();
		closeSocket(this.#socket, code, reason);
	}

	#take = (payload: Buffer, binary: boolean): void => {
		if (this.#session) this.#session.fromShim(this.#socket, payload, binary);
		else this.#waiting.push([payload, binary]);
	};

	#count = (chunk: Buffer): void => {
		this.#bytes += chunk.length;
		if (this.#bytes > MAX_EARLY_BYTES) this.#socket.terminate();
	};

	#stopGuarding(): void {
		clearTimeout(this.#timer);
		this.#stream?.off('data', this.#count);
	}
}
