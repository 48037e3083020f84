import { randomBytes } from 'node:crypto';
import type { Isolation } from '../../bridge/backendOptions.ts';
import { CAPABILITIES } from '../../bridge/limits.ts';
import { BridgeProcess, type BridgeProcessOptions } from './BridgeProcess.ts';
import { Culprit } from './Culprit.ts';
import { Neighbours } from './Neighbours.ts';

export interface SceneOptions {
	/** Whether neighbours have other workers than the culprit (`token`), or the same. */
	readonly isolation: Isolation;
	/** Sessions of neighbours, the first few of which send video, too. */
	readonly neighbours: number;
	/** Tokens that neighbours share. */
	readonly honestTokens: number;
	/** Processes that neighbours share. */
	readonly processes: number;
	/** Milliseconds between two messages of a neighbour. */
	readonly period: number;
	readonly workers: number;
	/** The folder for temporary files is a disk of its own, which may be filled. */
	readonly disk?: boolean;
}

/** Of the neighbours; the others have channels alone. */
const VIDEOS = 2;

/** A bridge, neighbours who do honest work, and whoever does not. */
export class Scene {
	bridge: BridgeProcess;
	readonly neighbours: Neighbours;
	/** The culprit's. */
	readonly token: string;
	/** Of who has no session yet. */
	readonly newcomer: string;
	/** A neighbour's. */
	readonly other: string;
	readonly #options: BridgeProcessOptions;
	readonly #ends: (() => unknown)[] = [];
	#isOver = false;

	private constructor(bridge: BridgeProcess, neighbours: Neighbours, options: BridgeProcessOptions) {
		this.bridge = bridge;
		this.neighbours = neighbours;
		this.#options = options;
		const [culprit, newcomer, other] = options.access.map(({ token }) => token);
		this.token = culprit!;
		this.newcomer = newcomer!;
		this.other = other!;
	}

	static async start(scene: SceneOptions): Promise<Scene> {
		const { isolation, workers, disk, neighbours, honestTokens, processes, period } = scene;
		const tokens = Array.from({ length: 2 + honestTokens }, () => randomBytes(16).toString('hex'));
		const access = tokens.map((token) => ({ token, capabilities: CAPABILITIES }));
		const options: BridgeProcessOptions = { isolation, workers, disk, access };
		const bridge = await BridgeProcess.start(options);
		try {
			const honest = Array.from({ length: neighbours }, (_, index) => ({
				url: bridge.url,
				token: tokens[2 + (index % honestTokens)]!,
				video: index < VIDEOS,
				period,
			}));
			return new Scene(bridge, await Neighbours.start(honest, processes), options);
		} catch (error) {
			await bridge.close();
			throw error;
		}
	}

	/** The same scene for one of several faults at once: what it makes ends with it. */
	share(): Scene {
		return new Scene(this.bridge, this.neighbours, this.#options);
	}

	/** A session of the culprit's token, which ends with the fault. */
	async culprit(url = this.bridge.url): Promise<Culprit> {
		const culprit = new Culprit(url, this.token);
		this.later(() => culprit.close());
		await culprit.connect();
		return culprit;
	}

	/** Called when the fault is over; at once, when the scene has ended. */
	later(end: () => unknown): void {
		if (this.#isOver) end();
		else this.#ends.push(end);
	}

	/** Another bridge at the same address, in place of one that was killed. */
	async restart(): Promise<void> {
		const { port } = this.bridge;
		await this.bridge.close();
		this.bridge = await BridgeProcess.start({ ...this.#options, port });
	}

	/** Ends what a fault left. */
	async tidy(): Promise<void> {
		// One that cannot end what is gone already does not keep the others.
		for (const end of this.#ends.splice(0).reverse()) await Promise.resolve(end()).catch(() => {});
	}

	/** Ends what a fault left, and what it still makes. */
	async end(): Promise<void> {
		this.#isOver = true;
		await this.tidy();
	}

	async close(): Promise<void> {
		await this.end();
		await this.neighbours.close();
		await this.bridge.close();
	}
}
