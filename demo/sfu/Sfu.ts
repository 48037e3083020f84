import { createWorker, type types } from 'mediasoup';
import { MEDIA_CODECS } from './codecs.ts';
import { LIMITS } from './limits.ts';
import { Room } from './Room.ts';

const ADDRESS = '127.0.0.1';

/** A selective forwarding unit on loopback: one mediasoup worker, a router a room, one UDP and one TCP port for all. */
export class Sfu {
	readonly #worker: types.Worker;
	readonly #server: types.WebRtcServer;
	readonly #rooms = new Map<string, Promise<Room>>();

	private constructor(worker: types.Worker, server: types.WebRtcServer) {
		this.#worker = worker;
		this.#server = server;
	}

	/** @param workerBin the mediasoup-worker binary */
	static async start(workerBin: string): Promise<Sfu> {
		const worker = await createWorker({ workerBin, logLevel: 'warn' });
		const server = await worker.createWebRtcServer({
			listenInfos: [
				{ protocol: 'udp', ip: ADDRESS },
				{ protocol: 'tcp', ip: ADDRESS },
			],
		});
		return new Sfu(worker, server);
	}

	/** The mediasoup worker's process. */
	get pid(): number {
		return this.#worker.pid;
	}

	/** Calls back when the mediasoup worker ends without being asked to. */
	ondied(callback: (error: Error) => void): void {
		this.#worker.on('died', callback);
	}

	/** The room of that name, made when there is none; it ends when its last peer leaves. */
	async room(name: string): Promise<Room> {
		const existing = this.#rooms.get(name);
		if (existing) return existing;
		if (this.#rooms.size >= LIMITS.rooms) throw new Error(`there are ${LIMITS.rooms} rooms already`);
		const made = this.#makeRoom(name);
		this.#rooms.set(name, made);
		made.catch(() => this.#rooms.delete(name));
		return made;
	}

	async #makeRoom(name: string): Promise<Room> {
		if (this.#worker.closed) throw new Error('the SFU has ended');
		const router = await this.#worker.createRouter({ mediaCodecs: MEDIA_CODECS });
		return new Room(router, this.#server, () => this.#rooms.delete(name));
	}

	/** Ends every room and the worker's process; resolves when it is gone. */
	async close(): Promise<void> {
		if (this.#worker.subprocessClosed) return;
		const gone = new Promise<void>((resolve) => this.#worker.on('subprocessclose', resolve));
		this.#worker.close();
		await gone;
	}
}
