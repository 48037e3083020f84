/** A pair of sockets in memory, for tests: in order, asynchronous, and can be cut. */

import type { Socket } from '../../../shim/link/Socket.ts';

export class MemorySocket implements Socket {
	binaryType = 'arraybuffer';
	onopen: ((event: never) => void) | null = null;
	onmessage: ((event: { data: unknown }) => void) | null = null;
	onclose: ((event: { code: number; reason: string }) => void) | null = null;
	onerror: ((event: never) => void) | null = null;
	/** Data is given to onmessage in batches, as it would be from one read of a network socket. */
	readonly #inbox: unknown[] = [];
	#peer: MemorySocket | null = null;
	#delivering = false;

	static pair(): [MemorySocket, MemorySocket] {
		const [near, far] = [new MemorySocket(), new MemorySocket()];
		near.#peer = far;
		far.#peer = near;
		for (const socket of [near, far]) setImmediate(() => socket.#peer && socket.onopen?.(undefined as never));
		return [near, far];
	}

	send(data: string | Uint8Array<ArrayBuffer>): void {
		if (this.#peer !== null) this.#peer.#deliver(typeof data === 'string' ? data : data.slice().buffer);
	}

	close(code = 1005, reason = ''): void {
		const peer = this.#peer;
		if (peer === null) return;
		this.#peer = null;
		peer.#peer = null;
		setImmediate(() => {
			peer.#flush();
			peer.onclose?.({ code, reason });
			this.onclose?.({ code, reason });
		});
	}

	/** Breaks the connection: what was under way is gone, in both directions. */
	cut(): void {
		const peer = this.#peer;
		if (peer === null) return;
		this.#peer = null;
		peer.#peer = null;
		for (const socket of [this, peer]) {
			socket.#inbox.length = 0;
			setImmediate(() => socket.onclose?.({ code: 1006, reason: '' }));
		}
	}

	#deliver(data: unknown): void {
		this.#inbox.push(data);
		if (this.#delivering) return;
		this.#delivering = true;
		setImmediate(() => this.#flush());
	}

	#flush(): void {
		this.#delivering = false;
		for (const data of this.#inbox.splice(0)) this.onmessage?.({ data });
	}
}
