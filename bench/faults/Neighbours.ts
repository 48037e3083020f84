import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { NeighbourOptions, Seen } from './Neighbour.ts';
import type { Question } from './neighbourProcess.ts';

/** What all neighbours saw over some time. */
export interface Window {
	/** Milliseconds; 0 where nothing came back. */
	readonly p50: number;
	readonly p99: number;
	readonly longest: number;
	readonly messages: number;
	readonly lost: number;
	readonly problems: string[];
}

/** Honest sessions, in processes of their own: what a culprit costs its own process is not theirs. */
export class Neighbours {
	readonly #processes: ChildProcess[];

	private constructor(processes: ChildProcess[]) {
		this.#processes = processes;
	}

	/**
	 * Resolves when all of them are connected.
	 *
	 * @throws {Error} one of them was not
	 */
	static async start(options: NeighbourOptions[], processes = 1): Promise<Neighbours> {
		const file = join(import.meta.dirname, 'neighbourProcess.ts');
		const children = Array.from({ length: processes }, () => fork(file));
		const neighbours = new Neighbours(children);
		const shares = children.map((_, index) => options.filter((_, at) => at % processes === index));
		try {
			const seen = await Promise.all(children.map((child, index) => ask(child, { connect: shares[index]! })));
			const problems = seen.flat().flatMap(({ problems }) => problems);
			if (problems.length > 0) throw new Error(`the neighbours could not connect: ${problems[0]}`);
			return neighbours;
		} catch (error) {
			await neighbours.close();
			throw error;
		}
	}

	/** What they saw since they were last asked; what is under way comes or is lost first. */
	async window(): Promise<Window> {
		const seen = (await Promise.all(this.#processes.map((child) => ask(child, { do: 'pause' })))).flat();
		const trips = seen.flatMap(({ trips }) => trips).sort((a, b) => a - b);
		const at = (share: number) => trips[Math.min(trips.length - 1, Math.floor(trips.length * share))] ?? 0;
		return {
			p50: at(0.5),
			p99: at(0.99),
			longest: at(1),
			messages: trips.length,
			lost: seen.reduce((sum, { lost }) => sum + lost, 0),
			problems: seen.flatMap(({ problems }) => problems),
		};
	}

	async close(): Promise<void> {
		await Promise.all(
			this.#processes.map(async (child) => {
				if (child.exitCode !== null || child.signalCode) return;
				const gone = once(child, 'exit');
				child.send({ do: 'close' } satisfies Question);
				const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
				await gone;
				clearTimeout(timer);
			}),
		);
	}
}

function ask(child: ChildProcess, question: Question): Promise<Seen[]> {
	return new Promise((resolve, reject) => {
		const ended = () => reject(new Error('a process of neighbours ended'));
		child.once('exit', ended);
		child.once('message', (seen: Seen[]) => {
			child.off('exit', ended);
			resolve(seen);
		});
		child.send(question);
	});
}
