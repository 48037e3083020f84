/** A network that breaks: forwards TCP to a port until it is told to cut. */

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class TcpProxy {
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();
	/** Connections made so far. */
	connections = 0;

	private constructor(target: number) {
		this.#server = createServer((inner) => {
			this.connections++;
			const outer = connect(target, '127.0.0.1');
			for (const [socket, other] of [
				[inner, outer],
				[outer, inner],
			] as const) {
				this.#sockets.add(socket);
				socket.on('error', () => {});
				socket.on('close', () => {
					this.#sockets.delete(socket);
					other.destroy();
				});
				socket.pipe(other);
			}
		});
	}

	static async start(target: number): Promise<TcpProxy> {
		const proxy = new TcpProxy(target);
		await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
		return proxy;
	}

	get url(): string {
		return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	/** Resets every connection, with whatever was under way. */
	cut(): void {
		for (const socket of this.#sockets) socket.resetAndDestroy();
	}

	close(): void {
		this.cut();
		this.#server.close();
	}
}
