import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Demo } from '../../../demo/server.ts';
import { ensureMediasoupWorker } from '../../../scripts/mediasoup-worker.ts';
import type { Ask, Asks } from './messages.ts';

const BOT = path.join(import.meta.dirname, 'bot.ts');

/** Bots in a room of the demo, each a process with a worker of its own. */
export class Party {
	static async open(count: number): Promise<Party> {
		const demo = await Demo.serve({ workerBin: await ensureMediasoupWorker(), port: 0 });
		return new Party(
			demo,
			Array.from({ length: count }, () => fork(BOT)),
		);
	}

	readonly demo: Demo;
	readonly #bots: ChildProcess[];

	private constructor(demo: Demo, bots: ChildProcess[]) {
		this.demo = demo;
		this.#bots = bots;
	}

	/** Asks the same of every bot; answers in the order of the bots. */
	ask<A extends Ask>(ask: A, params: (number: number) => Asks[A]['in']): Promise<Asks[A]['out'][]> {
		return Promise.all(this.#bots.map((bot, index) => request(bot, ask, params(index + 1))));
	}

	/** Every bot enters, and waits until it has everybody's picture. */
	join(): Promise<{ ms: number }[]> {
		const { url } = this.demo;
		return this.ask('join', (number) => ({ url, number, others: this.#bots.length - 1 }));
	}

	/** Lets the bots end by themselves; resolves to how they ended. */
	async end(): Promise<(number | null)[]> {
		const ended = this.#bots.map((bot) => (bot.exitCode === null ? once(bot, 'exit') : [bot.exitCode]));
		for (const bot of this.#bots) if (bot.connected) bot.disconnect();
		const codes = (await Promise.all(ended)).map(([code]) => code);
		await this.demo.close();
		return codes;
	}
}

async function request<A extends Ask>(bot: ChildProcess, ask: A, params: Asks[A]['in']): Promise<Asks[A]['out']> {
	let ended!: (code: number | null, signal: string | null) => void;
	const answer = new Promise<{ out: Asks[A]['out']; error?: string }>((resolve, reject) => {
		ended = (code, signal) => reject(new Error(`a bot ended with ${signal ?? code}`));
		bot.once('message', resolve);
		bot.once('exit', ended);
	});
	bot.send({ ask, params });
	const { out, error } = await answer.finally(() => bot.off('exit', ended));
	if (error) throw new Error(error);
	return out;
}
