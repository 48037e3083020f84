/** A session's connection to its worker: frames of `[u32 length, top bit set when binary][payload]`. */

import type { Socket } from 'node:net';

const BINARY = 0x8000_0000;

export class LocalSocket {
	/** Called once, at the socket's end, whichever side ended it. */
	onclose: (() => void) | null = null;

	readonly #socket: Socket;
	#pending: Buffer[] = [];
	#pendingLength = 0;
	/** Bytes that must be there before there is anything to take: a header's, or a frame's with its header. */
	#wanted = 4;
	#corked = false;
	#onframe: ((payload: Buffer, binary: boolean) => void) | null = null;

	constructor(socket: Socket) {
		this.#socket = socket;
		socket.setNoDelay(true);
		socket.on('data', (chunk: Buffer) => this.#take(chunk));
		// What went wrong is the worker's end, which `close` tells.
		socket.on('error', () => {});
		socket.on('close', () => this.onclose?.());
	}

	/** Takes each frame; the bytes stay as they are. Without a taker frames wait. */
	set onframe(taker: ((payload: Buffer, binary: boolean) => void) | null) {
		this.#onframe = taker;
		this.#drain();
	}

	/** Bytes that the worker has not taken yet. */
	get buffered(): number {
		return this.#socket.writableLength;
	}

	send(payload: Buffer | string, binary: boolean): void {
		if (!this.#socket.writable) return;
		const length = Buffer.byteLength(payload);
		const header = Buffer.allocUnsafe(4);
		header.writeUInt32BE((binary ? BINARY | length : length) >>> 0);
		this.#cork();
		this.#socket.write(header);
		this.#socket.write(payload);
	}

	/** Ends the session in the worker, after what was sent. */
	end(): void {
		this.#socket.end();
	}

	/** One write for all frames of a turn. */
	#cork(): void {
		if (this.#corked) return;
		this.#corked = true;
		this.#socket.cork();
		process.nextTick(() => {
			this.#corked = false;
			this.#socket.uncork();
		});
	}

	#take(chunk: Buffer): void {
		this.#pending.push(chunk);
		this.#pendingLength += chunk.length;
		this.#drain();
	}

	#drain(): void {
		if (!this.#onframe || this.#pendingLength < this.#wanted) return;
		const bytes = this.#pending.length === 1 ? this.#pending[0]! : Buffer.concat(this.#pending);
		let offset = 0;
		for (let taken = this.#takeOne(bytes, 0); taken > 0; taken = this.#takeOne(bytes, offset)) offset += taken;
		this.#pending = offset < bytes.length ? [bytes.subarray(offset)] : [];
		this.#pendingLength = bytes.length - offset;
	}

	/** Hands on the frame at `offset`; how many bytes it had, or 0 when it is incomplete or nobody takes it. */
	#takeOne(bytes: Buffer, offset: number): number {
		const there = bytes.length - offset;
		this.#wanted = 4;
		if (!this.#onframe || there < 4) return 0;
		const header = bytes.readUInt32BE(offset);
		const length = 4 + (header & ~BINARY);
		this.#wanted = length;
		if (there < length) return 0;
		this.#onframe(bytes.subarray(offset + 4, offset + length), header >= BINARY);
		return length;
	}
}
