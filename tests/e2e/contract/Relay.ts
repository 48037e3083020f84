import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const ADDRESS = '127.0.0.1';

/** A UDP path to one port of this machine that loses datagrams, both ways. */
export class Relay {
	/**
	 * @param target the port that the relay stands for
	 * @param loss the part of datagrams lost each way, 0 to 1
	 */
	static async open(target: number, loss: number): Promise<Relay> {
		const socket = createSocket('udp4').bind(0, ADDRESS);
		await once(socket, 'listening');
		return new Relay(socket, target, loss);
	}

	/** Where clients send to. */
	readonly port: number;
	/** The part of datagrams lost each way, 0 to 1: 1 is a dead path. */
	loss: number;
	/** Datagrams that were lost. */
	lost = 0;
	readonly #socket: Socket;
	readonly #target: number;
	/** A socket towards the target for each client, by its port, so that answers find back. */
	readonly #upstream = new Map<number, Socket>();

	private constructor(socket: Socket, target: number, loss: number) {
		this.#socket = socket;
		this.#target = target;
		this.loss = loss;
		this.port = socket.address().port;
		socket.on('message', (datagram, { port }) => {
			if (this.#passes()) this.#towards(port).send(datagram, this.#target, ADDRESS, ignore);
		});
	}

	close(): void {
		for (const socket of [this.#socket, ...this.#upstream.values()]) socket.close();
	}

	#towards(client: number): Socket {
		const known = this.#upstream.get(client);
		if (known) return known;
		const socket = createSocket('udp4');
		this.#upstream.set(client, socket);
		socket.on('message', (datagram) => {
			if (this.#passes()) this.#socket.send(datagram, client, ADDRESS, ignore);
		});
		return socket;
	}

	#passes(): boolean {
		const passes = Math.random() >= this.loss;
		if (!passes) this.lost++;
		return passes;
	}
}

/** What cannot be sent is lost, as in any network. */
function ignore(): void {}
