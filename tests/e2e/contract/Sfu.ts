import { createWorker, type types } from 'mediasoup';
import { MEDIA_CODECS } from '../../../demo/sfu/codecs.ts';
import { ensureMediasoupWorker } from '../../../scripts/mediasoup-worker.ts';

/** A mediasoup worker, a process of its own, with a router. */
export class Sfu {
	static async start(): Promise<Sfu> {
		const worker = await createWorker({ workerBin: await ensureMediasoupWorker(), logLevel: 'warn' });
		return new Sfu(worker, await worker.createRouter({ mediaCodecs: MEDIA_CODECS }));
	}

	readonly #worker: types.Worker;
	router: types.Router;

	private constructor(worker: types.Worker, router: types.Router) {
		this.#worker = worker;
		this.router = router;
	}

	/** Closes the router with all that it has, and opens another. */
	async restartRouter(): Promise<void> {
		this.router.close();
		this.router = await this.#worker.createRouter({ mediaCodecs: MEDIA_CODECS });
	}

	/** Ends the process as a crash does: nobody is told. */
	async kill(): Promise<void> {
		const died = new Promise<void>((resolve) => this.#worker.on('died', () => resolve()));
		process.kill(this.#worker.pid, 'SIGKILL');
		await died;
	}

	async close(): Promise<void> {
		if (this.#worker.closed) return;
		const gone = new Promise<void>((resolve) => this.#worker.on('subprocessclose', resolve));
		this.#worker.close();
		await gone;
	}
}
