import type { Server, Socket } from 'socket.io';
import type { Answer, ClientToServer, RequestName, ServerToClient } from '../signalling.ts';
import { CHECKS } from './checks.ts';
import { LIMITS } from './limits.ts';
import type { Peer } from './Peer.ts';
import type { Room } from './Room.ts';
import type { Sfu } from './Sfu.ts';

export type DemoServer = Server<ClientToServer, ServerToClient>;
type DemoSocket = Socket<ClientToServer, ServerToClient>;

/** Serves the SFU's rooms to whoever connects: a socket is a peer, and its end is the peer's. */
export function serveRooms(server: DemoServer, sfu: Sfu): void {
	server.on('connection', (socket) => new Client(socket, sfu));
}

class Client {
	readonly #socket: DemoSocket;
	readonly #sfu: Sfu;
	readonly #allowance = new Allowance(LIMITS.requestRate, LIMITS.requestBurst);
	#membership: { room: Room; peer: Peer } | null = null;
	#joining = false;

	constructor(socket: DemoSocket, sfu: Sfu) {
		this.#socket = socket;
		this.#sfu = sfu;
		socket.onAny((name: string, request: unknown, answer: unknown) => this.#onrequest(name, request, answer));
		socket.once('disconnect', () => this.#leave());
	}

	async #onrequest(name: string, request: unknown, answer: unknown): Promise<void> {
		if (!this.#allowance.take()) {
			this.#socket.disconnect(true);
			return;
		}
		// A request that nobody waits for is none.
		if (typeof answer !== 'function') return;
		const reply = answer as (answer: Answer<unknown>) => void;
		try {
			if (!Object.hasOwn(CHECKS, name)) throw new TypeError(`there is no request ${name.slice(0, LIMITS.nameLength)}`);
			reply({ ok: await this.#perform(name as RequestName, request) });
		} catch (error) {
			reply({ error: error instanceof Error ? error.message : String(error) });
		}
	}

	#perform(name: RequestName, request: unknown): Promise<unknown> {
		if (name === 'join') return this.#join(request);
		if (!this.#membership) throw new Error(`${name} before join`);
		// The table and the methods are typed by the same names; TypeScript cannot follow that through a variable name.
		const method = this.#membership.peer[name] as (request: unknown) => Promise<unknown>;
		return method.call(this.#membership.peer, CHECKS[name](request));
	}

	async #join(request: unknown): Promise<unknown> {
		const { room: roomName, ...who } = CHECKS.join(request);
		if (this.#joining) throw new Error('joined already');
		this.#joining = true;
		const room = await this.#sfu.room(roomName);
		if (!this.#socket.connected) throw new Error('gone before it had joined');
		const tell = this.#socket.emit.bind(this.#socket);
		this.#membership = { room, peer: room.admit({ id: this.#socket.id, ...who }, tell as Peer['tell']) };
		return { routerRtpCapabilities: room.rtpCapabilities };
	}

	#leave(): void {
		if (this.#membership) this.#membership.room.leave(this.#membership.peer);
		this.#membership = null;
	}
}

/** A token bucket. */
class Allowance {
	readonly #rate: number;
	readonly #burst: number;
	#tokens: number;
	#at = performance.now();

	constructor(rate: number, burst: number) {
		this.#rate = rate;
		this.#burst = burst;
		this.#tokens = burst;
	}

	take(): boolean {
		const now = performance.now();
		this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1_000) * this.#rate);
		this.#at = now;
		if (this.#tokens < 1) return false;
		this.#tokens -= 1;
		return true;
	}
}
