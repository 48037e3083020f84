import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import type { Command, CommandName, Commands, Outcome } from './messages.ts';

const BOT = path.join(import.meta.dirname, '..', 'bot.ts');
const LEAVING_TIMEOUT = 5_000;

interface Waiting {
	resolve(result: unknown): void;
	reject(error: Error): void;
}

/** A bot in a process of its own, seen from its parent. */
export class Participant {
	readonly name: string;
	readonly #child: ChildProcess;
	readonly #ended: Promise<string>;
	readonly #waiting = new Map<number, Waiting>();
	#nextId = 1;

	constructor(name: string, args: string[]) {
		this.name = name;
		this.#child = fork(BOT, ['--name', name, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
		this.#child.on('message', (outcome: Outcome) => this.#onoutcome(outcome));
		this.#ended = new Promise((resolve) => {
			// Not 'close': that may stay away when the channel is disconnected while the process ends.
			this.#child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
		});
		void this.#ended.then((how) => this.#fail(`${name} ended with ${how}`));
	}

	/** Resolves with how, when the process is gone. */
	get ended(): Promise<string> {
		return this.#ended;
	}

	/** Asks for something; asked before the bot is in the room, it waits for that. */
	ask<N extends CommandName>(name: N, asked: Commands[N][0]): Promise<Commands[N][1]> {
		const id = this.#nextId++;
		return new Promise((resolve, reject) => {
			this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
			this.#child.send({ id, name, asked } satisfies Command<N>, (error) => error && this.#fail(error.message));
		});
	}

	/**
	 * Lets the bot leave and end by itself.
	 *
	 * @returns a complaint when it did not, and had to be killed, or ended with a fault
	 */
	async leave(): Promise<string | null> {
		if (this.#child.connected) this.#child.disconnect();
		const timer = setTimeout(() => this.#child.kill('SIGKILL'), LEAVING_TIMEOUT);
		const how = await this.#ended;
		clearTimeout(timer);
		if (how === 'code 0') return null;
		if (how === 'SIGKILL') return `${this.name} did not end by itself within ${LEAVING_TIMEOUT / 1_000} s`;
		return `${this.name} ended with ${how}`;
	}

	#onoutcome(outcome: Outcome): void {
		const waiting = this.#waiting.get(outcome.id);
		this.#waiting.delete(outcome.id);
		if ('error' in outcome) waiting?.reject(new Error(`${this.name}: ${outcome.error}`));
		else waiting?.resolve(outcome.result);
	}

	#fail(reason: string): void {
		for (const { reject } of this.#waiting.values()) reject(new Error(reason));
		this.#waiting.clear();
	}
}
