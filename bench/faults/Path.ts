import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** How a path ends. `halfway`: in the middle of the next bytes, with a reset. `half seen`: the bridge sees it, the shim nothing. */
export type Cut = 'reset' | 'end' | 'halfway' | 'half seen';
/** To the bridge, or to the shim. */
export type Direction = 'up' | 'down';

interface Hop {
	readonly sockets: Record<Direction, Socket>;
	/** Directions in which bytes vanish. */
	readonly lost: Set<Direction>;
	isHalfway: boolean;
}

/** A network between shims and a bridge, which breaks when it is told to. Each new connection works. */
export class Path {
	/** Connections made so far. */
	connections = 0;
	readonly #server: Server;
	readonly #hops = new Set<Hop>();

	private constructor(port: number) {
		this.#server = createServer((inner) => {
			this.connections++;
			const outer = connect(port, '127.0.0.1');
			const hop: Hop = { sockets: { up: outer, down: inner }, lost: new Set(), isHalfway: false };
			this.#hops.add(hop);
			this.#forward(hop, inner, 'up');
			this.#forward(hop, outer, 'down');
		});
	}

	static async start(port: number): Promise<Path> {
		const path = new Path(port);
		await new Promise<void>((resolve) => path.#server.listen(0, '127.0.0.1', resolve));
		return path;
	}

	get url(): string {
		return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	/** Ends every connection that there is. */
	cut(how: Cut): void {
		for (const hop of this.#hops) {
			const { up, down } = hop.sockets;
			if (how === 'reset') this.#reset(hop);
			else if (how === 'halfway') hop.isHalfway = true;
			else if (how === 'half seen') {
				hop.lost.add('down').add('up');
				up.resetAndDestroy();
			} else for (const socket of [up, down]) socket.end();
		}
	}

	/** Loses what goes in one direction over every connection that there is, without a word to either end. */
	lose(direction: Direction): void {
		for (const hop of this.#hops) hop.lost.add(direction);
	}

	close(): void {
		this.cut('reset');
		for (const { sockets } of this.#hops) sockets.down.destroy();
		this.#server.close();
	}

	#forward(hop: Hop, from: Socket, direction: Direction): void {
		const to = hop.sockets[direction];
		from.on('error', () => {});
		from.on('data', (chunk) => {
			if (hop.lost.has(direction) || !to.writable) return;
			if (!hop.isHalfway) {
				to.write(chunk);
				return;
			}
			to.write(chunk.subarray(0, chunk.length >> 1), () => this.#reset(hop));
		});
		from.on('end', () => {
			if (hop.lost.size === 0) to.end();
		});
		from.on('close', () => {
			if (hop.lost.size > 0 && direction === 'down') return;
			to.destroy();
			this.#hops.delete(hop);
		});
	}

	#reset(hop: Hop): void {
		for (const socket of Object.values(hop.sockets)) socket.resetAndDestroy();
	}
}
