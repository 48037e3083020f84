/** A session's connection to its worker, which carries frames as FrameReader has them. */

import { once } from 'node:events';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { BufferPool } from '../shim/link/BufferPool.ts';
import { BINARY, FrameReader } from './FrameReader.ts';

/** Bytes that are read at once, at most. */
const READ = 64 * 1024;
/** Bytes that are kept for frames to come. */
const KEPT = 256 * 1024;

type Taker = (payload: Buffer, binary: boolean) => void;

export class LocalSocket {
	/** Called once, at the socket's end, whichever side ended it. */
	onclose: (() => void) | null = null;

	readonly #socket: Socket;
	/** Not of all sessions: one that acknowledges what it has not had shall find nothing but its own there. */
	readonly #buffers = new BufferPool(KEPT);
	/** Frames that nobody took yet. */
	readonly #waiting: Parameters<Taker>[] = [];
	#corked = false;
	#onframe: Taker | null = null;

	/**
	 * Opens a connection.
	 *
	 * @param unref whether it does not keep the process alive
	 * @throws {Error} nobody listens there
	 */
	static async connect(address: NetConnectOpts, unref = false): Promise<LocalSocket> {
		const local = new LocalSocket(address);
		if (unref) local.#socket.unref();
		await once(local.#socket, 'connect');
		return local;
	}

	private constructor(address: NetConnectOpts) {
		// One buffer for all reads, of which each frame is copied: with `data`, every read would allocate 64 KiB.
		const buffer = Buffer.alloc(READ);
		const reader = new FrameReader(this.#buffers, (...frame) => this.#take(...frame));
		const callback = (length: number) => {
			reader.read(buffer.subarray(0, length));
			return true;
		};
		const socket = connect({ ...address, onread: { buffer, callback } });
		this.#socket = socket;
		socket.setNoDelay(true);
		// What went wrong is the worker's end, which `close` tells.
		socket.on('error', () => {});
		socket.on('close', () => this.onclose?.());
	}

	/** Takes each frame, whose bytes stay as they are until it is given back. Without a taker frames wait. */
	set onframe(taker: Taker | null) {
		this.#onframe = taker;
		while (this.#onframe && this.#waiting.length > 0) this.#onframe(...this.#waiting.shift()!);
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

	/** Takes back the memory of a frame that nobody will read any more. */
	giveBack(payload: Buffer): void {
		this.#buffers.give(payload);
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

	#take(payload: Buffer, binary: boolean): void {
		if (this.#onframe) this.#onframe(payload, binary);
		else this.#waiting.push([payload, binary]);
	}
}
