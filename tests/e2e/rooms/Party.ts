import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { Demo } from '../../../demo/server.ts';
import { ensureMediasoupWorker } from '../../../scripts/mediasoup-worker.ts';
import type { Ask, Asks } from './messages.ts';

/** Milliseconds in which a bot that was told so ends. */
const PATIENCE = 10_000;
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

	/** Lets the bots end by themselves; resolves to how they ended, which is null for one that had to be killed. */
	async end(): Promise<(number | null)[]> {
		const codes = await Promise.all(this.#bots.map(letEnd));
		await this.demo.close();
		return codes;
	}
}

/** A bot that has not left the room goes on: an open connection keeps a process alive. */
async function letEnd(bot: ChildProcess): Promise<number | null> {
	if (bot.exitCode !== null || bot.signalCode !== null) return bot.exitCode;
	const killing = setTimeout(() => bot.kill('SIGKILL'), PATIENCE);
	const ended = once(bot, 'exit');
	if (bot.connected) bot.disconnect();
	const [code] = await ended;
	clearTimeout(killing);
	return code;
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
