/** A WebSocket between a shim and a bridge of one process: frames are handed over, and nothing listens. */

import { EventEmitter } from 'node:events';
import type { Socket } from '../shim/link/Socket.ts';
import type { ShimSocket } from './ShimSocket.ts';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;

const ABNORMAL = 1006;

/** Two connected ends. Frames arrive at once, in the call that sends them; opening and closing take a turn. */
export function memorySocketPair(): { shim: Socket; bridge: ShimSocket } {
	const pair = new Pair();
	return { shim: pair.shim, bridge: pair.bridge };
}

class Pair {
	readonly shim = new ShimEnd(this);
	readonly bridge = new BridgeEnd(this);
	state = CONNECTING;

	constructor() {
		queueMicrotask(() => {
			if (this.state !== CONNECTING) return;
			this.state = OPEN;
			this.shim.onopen?.({});
		});
	}

	close(code: number, reason: string): void {
		if (this.state >= CLOSING) return;
		this.state = CLOSING;
		queueMicrotask(() => {
			this.state = CLOSED;
			this.bridge.emit('close', code);
			this.shim.onclose?.({ code, reason });
		});
	}
}

class ShimEnd implements Socket {
	binaryType = 'arraybuffer';
	onopen: ((event: object) => void) | null = null;
	onmessage: ((event: { data: string | Uint8Array }) => void) | null = null;
	onclose: ((event: { code: number; reason: string }) => void) | null = null;
	onerror: ((event: object) => void) | null = null;
	readonly #pair: Pair;

	constructor(pair: Pair) {
		this.#pair = pair;
	}

	send(data: string | Uint8Array<ArrayBuffer>): void {
		if (this.#pair.state !== OPEN) return;
		if (typeof data === 'string') this.#pair.bridge.take(Buffer.from(data), false);
		else this.#pair.bridge.take(Buffer.from(data.buffer, data.byteOffset, data.byteLength), true);
	}

	close(code = 1005, reason = ''): void {
		this.#pair.close(code, reason);
	}
}

class BridgeEnd extends EventEmitter implements ShimSocket {
	readonly OPEN = OPEN;
	/** What is sent has arrived. */
	readonly bufferedAmount = 0;
	readonly #pair: Pair;
	readonly #waiting: [payload: Buffer, binary: boolean][] = [];
	#isPaused = false;

	constructor(pair: Pair) {
		super();
		this.#pair = pair;
	}

	get readyState(): number {
		return this.#pair.state;
	}

	take(payload: Buffer, binary: boolean): void {
		if (this.#isPaused) this.#waiting.push([payload, binary]);
		else this.emit('message', payload, binary);
	}

	/** The shim gets views of what it is given, as no Buffer: the `slice` of that is none of a copy. */
	send(payload: Buffer | string, { binary }: { binary: boolean }): void {
		const { shim, state } = this.#pair;
		if (state !== OPEN) return;
		if (typeof payload === 'string') shim.onmessage?.({ data: payload });
		else if (!binary) shim.onmessage?.({ data: payload.toString() });
		else shim.onmessage?.({ data: new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength) });
	}

	/** Its other end is this very process. */
	ping(): void {
		this.emit('pong');
	}

	pause(): void {
		this.#isPaused = true;
	}

	resume(): void {
		this.#isPaused = false;
		while (!this.#isPaused && this.#waiting.length > 0) this.emit('message', ...this.#waiting.shift()!);
	}

	close(code: number, reason: string): void {
		this.#pair.close(code, reason);
	}

	terminate(): void {
		this.#pair.close(ABNORMAL, '');
	}
}
