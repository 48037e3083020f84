/** A bridge in memory, for tests: welcomes, keeps the tail for the shim, resumes. */

import { type Frame, isCounted, parseAck, parsePing } from '../../../shim/link/frames.ts';
import type { Hello, Welcome } from '../../../shim/link/hello.ts';
import type { Socket } from '../../../shim/link/Socket.ts';
import { sleep } from './eventually.ts';
import { MemorySocket } from './memory.ts';

/** What is behind a bridge. */
export interface WorkerEnd {
	send(frame: Frame): void;
	onframe: ((frame: Frame) => void) | null;
}

export class Relay {
	/** Sockets that were opened; the last is the current one. */
	readonly sockets: MemorySocket[] = [];
	readonly hellos: Hello[] = [];
	/** Overrides of what it welcomes with. */
	readonly welcome: Partial<Welcome>;
	/** Whether new sockets fail to open. */
	unreachable = false;
	/** Milliseconds until it answers a hello. */
	thinks = 0;
	/** Whether it answers pings. */
	answersPings = true;
	readonly #worker: WorkerEnd;
	readonly #tail: Frame[] = [];
	#trimmed = 0;
	#received = 0;

	constructor(worker: WorkerEnd, welcome: Partial<Welcome> = {}) {
		this.#worker = worker;
		this.welcome = welcome;
		worker.onframe = (frame) => this.#down(frame);
	}

	readonly open = (): Socket => {
		const [near, far] = MemorySocket.pair();
		if (this.unreachable) {
			near.cut();
			return near;
		}
		far.onmessage = async ({ data }) => {
			if (this.thinks) await sleep(this.thinks);
			this.#greet(far, JSON.parse(String(data)).hello);
		};
		return near;
	};

	cut(): void {
		this.sockets.at(-1)?.cut();
	}

	close(code: number, reason = ''): void {
		this.sockets.at(-1)?.close(code, reason);
	}

	#greet(socket: MemorySocket, hello: Hello): void {
		this.hellos.push(hello);
		this.sockets.push(socket);
		socket.onmessage = ({ data }) =>
			this.#up(socket, typeof data === 'string' ? data : new Uint8Array(data as ArrayBuffer));
		const welcome: Welcome = {
			version: 1,
			session: 's',
			key: 'k',
			received: this.#received,
			resumed: hello.resume !== undefined,
			shared: false,
			window: 524288,
			graceSeconds: 5,
			heartbeatSeconds: 15,
			capabilities: [],
			limits: {},
			worker: { aiortc: 'none', codecs: [] },
			...this.welcome,
		};
		socket.send(JSON.stringify({ hello: welcome }));
		this.#trim(hello.resume?.received ?? 0);
		for (const frame of this.#tail) socket.send(frame);
	}

	#up(socket: MemorySocket, frame: Frame): void {
		if (socket !== this.sockets.at(-1)) return;
		const ping = typeof frame === 'string' ? parsePing(frame) : null;
		if (ping !== null) {
			if (this.answersPings) socket.send(`{"pong":${ping}}`);
			return;
		}
		if (isCounted(frame)) this.#received += 1;
		else if (typeof frame === 'string') this.#trim(parseAck(frame) ?? 0);
		this.#worker.send(frame);
	}

	#down(frame: Frame): void {
		if (isCounted(frame)) this.#tail.push(frame);
		this.sockets.at(-1)?.send(frame);
	}

	#trim(count: number): void {
		this.#tail.splice(0, Math.max(0, count - this.#trimmed));
		this.#trimmed = Math.max(this.#trimmed, count);
	}
}
