/** A WebSocket on its way to a session: bounded in time and bytes until it has said hello. */

import { CloseCode } from '../shim/link/frames.ts';
import { HELLO_BYTES, HELLO_MS } from './handshake.ts';
import type { ShimSocket } from './ShimSocket.ts';
import type { Stranger } from './Strangers.ts';
import { type BridgeSession, closeSocket } from './session.ts';

/** Bytes that may come before hello is understood: of hello, and of what one read brings behind it. */
const MAX_EARLY_BYTES = HELLO_BYTES + 68 * 1024;

type Frame = [payload: Buffer, binary: boolean];

export class Newcomer {
	/** The first frame; never settles when the socket is closed before it comes. */
	readonly hello: Promise<Frame>;

	readonly socket: ShimSocket;
	/** The connection under it; none within a process. */
	readonly stranger: Stranger | undefined;

	readonly #timer: NodeJS.Timeout;
	/** What came behind hello, while there is no session to take it. */
	readonly #waiting: Frame[] = [];
	#bytes = 0;
	#session: BridgeSession | null = null;

	constructor(socket: ShimSocket, stranger?: Stranger) {
		this.socket = socket;
		this.stranger = stranger;
		if (stranger) stranger.dismiss = () => this.#giveWay();
		// What is wrong with a socket is told by its close.
		socket.on('error', () => {});
		socket.on('close', () => this.#stopGuarding());
		// Bytes are counted as they come, and not as whole frames.
		stranger?.stream.on('data', this.#count);
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
		this.socket.resume();
	}

	/** Closes the socket. */
	dismiss(code: number, reason: string): void {
		this.socket.resume();
		closeSocket(this.socket, code, reason);
	}

	/** Resolves after `milliseconds`; when the socket is closed meanwhile, never. */
	wait(milliseconds: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, milliseconds);
			timer.unref();
			this.socket.on('close', () => clearTimeout(timer));
		});
	}

	/** Does not wait for an answer, as dismiss() does: the place is another's already. */
	#giveWay(): void {
		closeSocket(this.socket, CloseCode.tryAgainLater, 'too many connections have not said hello');
		this.socket.terminate();
	}

	#take = (payload: Buffer, binary: boolean): void => {
		if (this.#session) this.#session.fromShim(this.socket, payload, binary);
		else this.#waiting.push([payload, binary]);
	};

	#count = (chunk: Buffer): void => {
		this.#bytes += chunk.length;
		if (this.#bytes > MAX_EARLY_BYTES) this.socket.terminate();
	};

	#stopGuarding(): void {
		clearTimeout(this.#timer);
		this.stranger?.stream.off('data', this.#count);
	}
}
