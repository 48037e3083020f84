/** A network between a shim and a bridge, in virtual time: TCP connections over a path that loses either direction. */

import { EventEmitter } from 'node:events';
import type { ShimSocket } from '../../../bridge/ShimSocket.ts';
import type { Socket } from '../../../shim/link/Socket.ts';

/** Milliseconds that a packet takes. */
const LATENCY = 20;
/** After which a WebSocket that was closed is closed, whatever the other end says. */
const CLOSING = 1000;

export type Direction = 'up' | 'down';
/** Who is told that a connection is dead. */
export type Witness = 'shim' | 'bridge' | 'nobody';

export class Path {
	readonly alive: Record<Direction, boolean> = { up: true, down: true };
	readonly connections: Connection[] = [];
	readonly #welcome: (socket: ShimSocket) => void;

	constructor(welcome: (socket: ShimSocket) => void) {
		this.#welcome = welcome;
	}

	/** A LinkOptions.openSocket. */
	readonly open = (): Socket => {
		const connection = new Connection(this);
		this.connections.push(connection);
		connection.carry('up', () => {
			this.#welcome(connection.bridge);
			connection.carry('down', () => connection.shim.onopen?.({}));
		});
		return connection.shim;
	};

	/** Stops carrying in the directions; what is sent waits, as TCP repeats it. */
	break(directions: readonly Direction[]): void {
		for (const direction of directions) this.alive[direction] = false;
	}

	heal(): void {
		for (const direction of ['up', 'down'] as const) {
			this.alive[direction] = true;
			for (const connection of this.connections) connection.pump(direction);
		}
	}
}

export class Connection {
	readonly shim = new ShimEnd(this);
	readonly bridge = new BridgeEnd(this);
	/** Whether the end of a socket reaches nobody: what is between keeps it. */
	hidesEnds = false;
	/** Pings of WebSocket that the bridge sent. */
	pings = 0;
	/** Whether it is dead for good: what comes back to the path carries other connections alone. */
	#isVoid = false;
	readonly #path: Path;
	readonly #packets: Record<Direction, { at: number; arrive: () => void }[]> = { up: [], down: [] };

	constructor(path: Path) {
		this.#path = path;
	}

	/** Sends a packet, in order. */
	carry(direction: Direction, arrive: () => void): void {
		if (this.#isVoid) return;
		this.#packets[direction].push({ at: performance.now() + LATENCY, arrive });
		this.pump(direction);
	}

	/** Tells the other end of a socket that it is closed. */
	carryEnd(direction: Direction, arrive: () => void): void {
		if (!this.hidesEnds) this.carry(direction, arrive);
	}

	pump(direction: Direction): void {
		const packets = this.#packets[direction];
		while (packets[0] && this.#path.alive[direction]) {
			const wait = packets[0].at - performance.now();
			if (wait > 0) {
				setTimeout(() => this.pump(direction), wait);
				return;
			}
			packets.shift()!.arrive();
		}
	}

	/** Dies, and tells one end or neither. */
	die(witness: Witness): void {
		this.#isVoid = true;
		this.#packets.up.length = this.#packets.down.length = 0;
		if (witness === 'shim') this.shim.onclose?.({ code: 1006, reason: '' });
		if (witness === 'bridge') this.bridge.closed(1006);
	}
}

class ShimEnd implements Socket {
	binaryType = 'arraybuffer';
	onopen: ((event: object) => void) | null = null;
	onmessage: ((event: { data: unknown }) => void) | null = null;
	onclose: ((event: { code: number; reason: string }) => void) | null = null;
	onerror: ((event: object) => void) | null = null;
	readonly #connection: Connection;

	constructor(connection: Connection) {
		this.#connection = connection;
	}

	send(data: string | Uint8Array<ArrayBuffer>): void {
		const { bridge } = this.#connection;
		const payload = Buffer.from(data as string);
		this.#connection.carry('up', () => bridge.take(payload, typeof data !== 'string'));
	}

	close(code = 1005, reason = ''): void {
		const { bridge } = this.#connection;
		this.#connection.carryEnd('up', () => bridge.closed(code));
		setTimeout(() => this.onclose?.({ code, reason }), CLOSING);
	}
}

class BridgeEnd extends EventEmitter implements ShimSocket {
	readonly OPEN = 1;
	readonly bufferedAmount = 0;
	readyState = 1;
	readonly #connection: Connection;

	constructor(connection: Connection) {
		super();
		this.#connection = connection;
	}

	take(payload: Buffer, binary: boolean): void {
		if (this.readyState === this.OPEN) this.emit('message', payload, binary);
	}

	closed(code: number): void {
		if (this.readyState === 3) return;
		this.readyState = 3;
		this.emit('close', code);
	}

	send(payload: Buffer | string, { binary }: { binary: boolean }): void {
		const { shim } = this.#connection;
		const data = binary ? new Uint8Array(payload as Buffer).buffer : payload.toString();
		this.#connection.carry('down', () => shim.onmessage?.({ data }));
	}

	ping(): void {
		this.#connection.pings++;
		this.#connection.carry('down', () => this.#connection.carry('up', () => this.emit('pong')));
	}

	pause(): void {}

	resume(): void {}

	close(code: number, reason: string): void {
		const { shim } = this.#connection;
		this.readyState = 2;
		this.#connection.carryEnd('down', () => shim.onclose?.({ code, reason }));
		setTimeout(() => this.closed(code), CLOSING);
	}

	terminate(): void {
		const { shim } = this.#connection;
		this.#connection.carryEnd('down', () => shim.onclose?.({ code: 1006, reason: '' }));
		setTimeout(() => this.closed(1006), 0);
	}
}
