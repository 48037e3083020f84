/** A network that breaks: forwards TCP to a port until it is told to cut, or to go on in one direction alone. */

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export type End = 'client' | 'server';

interface Connection {
	readonly client: Socket;
	readonly server: Socket;
}

export class TcpProxy {
	readonly #server: Server;
	readonly #connections = new Set<Connection>();
	/** Connections made so far. */
	connections = 0;

	private constructor(target: number) {
		this.#server = createServer((client) => this.#carry({ client, server: connect(target, '127.0.0.1') }));
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
		for (const { client, server } of this.#connections) {
			client.resetAndDestroy();
			server.resetAndDestroy();
		}
	}

	/**
	 * Makes the connections of now lose for good what `from` sends, the end of the connection among it; neither end is
	 * told. Later connections are whole.
	 */
	lose(...from: End[]): void {
		for (const connection of this.#connections) {
			for (const end of from) lose(connection, end);
		}
	}

	/** Ends the connections of now towards `to` alone: in order, or by a reset. */
	end(to: End, how: 'FIN' | 'RST'): void {
		this.lose('client', 'server');
		for (const connection of this.#connections) {
			if (how === 'FIN') connection[to].end();
			else connection[to].resetAndDestroy();
		}
	}

	close(): void {
		this.cut();
		this.#server.close();
	}

	#carry(connection: Connection): void {
		this.connections++;
		this.#connections.add(connection);
		for (const [end, other] of [
			['client', 'server'],
			['server', 'client'],
		] as const) {
			const socket = connection[end];
			socket.on('error', () => {});
			socket.on('close', () => this.#closed(connection));
			socket.on('close', () => connection[other].emit('far end closed'));
			socket.once('far end closed', () => socket.destroy());
			socket.pipe(connection[other]);
		}
	}

	#closed(connection: Connection): void {
		const { client, server } = connection;
		if (client.destroyed && server.destroyed) this.#connections.delete(connection);
	}
}

function lose(connection: Connection, from: End): void {
	const to = from === 'client' ? connection.server : connection.client;
	connection[from].unpipe(to).resume();
	to.removeAllListeners('far end closed');
}
