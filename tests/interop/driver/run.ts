/** Runs scenarios with peers, and compares what happens with what is recorded. */
import type { Coturn } from './Coturn.ts';
import { type Cell, cellsOf, type Expectations, lackOf, news, type Result } from './expectations.ts';
import type { Kind } from './kinds.ts';
import { type Launch, Peer } from './Peer.ts';

export interface RunOptions {
	readonly kinds: readonly Kind[];
	/** Whether a cell is wanted. */
	readonly wants: (cell: Cell) => boolean;
	readonly expectations: Expectations;
	readonly coturn: () => Promise<Coturn>;
	/** How often a cell is tried that is not as recorded: load makes it fail now and then, a fault each time. */
	readonly tries: number;
	readonly log: (line: string) => void;
}

export interface Outcome {
	readonly results: readonly Result[];
	/** By the peer's name, as it told it. */
	readonly versions: ReadonlyMap<string, string>;
	/** Peers that could not be had, each with a sentence on why. */
	readonly leftOut: readonly string[];
	/** What is not as recorded. */
	readonly surprises: readonly string[];
}

export async function runInterop(options: RunOptions): Promise<Outcome> {
	const { expectations, log } = options;
	const results: Result[] = [];
	const versions = new Map<string, string>();
	const leftOut: string[] = [];
	const surprises: string[] = [];
	const aside: Promise<void>[] = [];

	const take = (result: Result, figure: string | undefined) => {
		results.push(result);
		const surprise = news(expectations, result);
		if (surprise) surprises.push(`${nameOf(result)} ${surprise}${result.failure ? `: ${result.failure}` : ''}`);
		const mark = surprise ? 'NEWS' : result.failure === undefined ? 'ok  ' : 'known';
		log(`${mark} ${nameOf(result)} ${result.failure ?? figure ?? ''}`);
	};

	for (const kind of options.kinds) {
		const cells = cellsOf(kind).filter((cell) => options.wants(cell) && lackOf(cell) === null);
		if (cells.length === 0) continue;
		let launch: () => Promise<Launch>;
		try {
			launch = await kind.prepare(log);
		} catch (error) {
			leftOut.push(`${kind.title}: ${(error as Error).message}`);
			continue;
		}
		const runner = new CellRunner(launch, options);
		for (const cell of cells.filter(({ scenario }) => scenario.aside)) {
			const own = new CellRunner(launch, options);
			aside.push(
				own.run(cell).then(async ({ result, figure }) => {
					await own.close();
					take(result, figure);
				}),
			);
		}
		for (const cell of cells.filter(({ scenario }) => !scenario.aside)) {
			const { result, figure } = await runner.run(cell);
			take(result, figure);
		}
		versions.set(kind.name, runner.version);
		await runner.close();
	}
	await Promise.all(aside);
	return { results, versions, leftOut, surprises };
}

export function nameOf({ kind, scenario, role }: Cell): string {
	return `${kind.name} ${scenario.name} ${role}`;
}

/** Runs cells with one peer process, and another where that ended. */
class CellRunner {
	version = '';
	readonly #launch: () => Promise<Launch>;
	readonly #options: RunOptions;
	#peer: Peer | null = null;

	constructor(launch: () => Promise<Launch>, options: RunOptions) {
		this.#launch = launch;
		this.#options = options;
	}

	/** A failure that is not recorded is tried again. */
	async run(cell: Cell): Promise<{ result: Result; figure?: string }> {
		for (let tries = 1; ; tries++) {
			const { failure, figure } = await this.#try(cell);
			const result = { ...cell, failure };
			const known = failure === undefined || news(this.#options.expectations, result) === null;
			if (known || tries === this.#options.tries) return { result, figure };
			this.#options.log(`again ${nameOf(cell)} ${failure}`);
		}
	}

	async #try(cell: Cell): Promise<{ failure?: string; figure?: string }> {
		const { kind, scenario, role } = cell;
		try {
			this.#peer ??= await Peer.start(await this.#launch());
			this.version = this.#peer.version;
			const context = {
				peer: this.#peer,
				role,
				can: (need: keyof Kind['lacks']) => !(need in kind.lacks),
				coturn: this.#options.coturn,
			};
			return { figure: await scenario.run(context) };
		} catch (error) {
			await this.close();
			return { failure: (error as Error).message };
		} finally {
			if (scenario.aside) await this.close();
		}
	}

	async close(): Promise<void> {
		await this.#peer?.end();
		this.#peer = null;
	}
}
