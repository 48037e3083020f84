import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { ensureGoProgram } from '../scripts/go-program.ts';
import { cpuSecondsOf, type Program } from './processes.ts';

/** What a way between two peers does to their datagrams. */
export interface Impairment {
	/** Of one way. */
	delayMs: number;
	/** The share of all datagrams that is lost. */
	loss: number;
	/** Which of them are: the same in every run. */
	seed: number;
}

type Side = 'a' | 'b';

/** Datagrams by fate. */
export interface Carried {
	carried: number;
	lost: number;
	/** Dropped since too many were under way: the relay was too slow, or the peers too fast. */
	overrun: number;
}

/** A process that carries the datagrams of two peers, late and with losses: `relay/main.go`. */
export class Relay {
	readonly #impairment: Impairment;
	readonly #within: (program: Program) => Program;
	#child: ChildProcess | null = null;
	#lines: Interface | null = null;
	#ports: Record<Side, number> | null = null;
	#host = '';
	#carried: Promise<Carried> | null = null;

	/** It runs where `within` puts it. */
	constructor(impairment: Impairment, within: (program: Program) => Program = (program) => program) {
		this.#impairment = impairment;
		this.#within = within;
	}

	/** The description of `side`, for the other one: its first candidate leads by this relay, and there are no others. */
	async describe(side: Side, sdp: string): Promise<string> {
		const { host, port } = firstCandidate(sdp);
		if (!this.#ports) await this.#start(host);
		this.#child!.stdin!.write(`${side} ${host}:${port}\n`);
		return leadingBy(sdp, this.#host, this.#ports![side]);
	}

	cpuSeconds(): number {
		return this.#child ? cpuSecondsOf(this.#child.pid!) : 0;
	}

	/** May be called twice. */
	end(): Promise<Carried> {
		this.#carried ??= this.#end();
		return this.#carried;
	}

	async #end(): Promise<Carried> {
		if (!this.#child) return { carried: 0, lost: 0, overrun: 0 };
		this.#child.stdin!.end();
		return JSON.parse(await this.#line()) as Carried;
	}

	async #start(host: string): Promise<void> {
		const { delayMs, loss, seed } = this.#impairment;
		const args = [host, `${delayMs}ms`, `${loss}`, `${seed}`];
		const { command, args: all } = this.#within({ command: await relayProgram(), args });
		this.#child = spawn(command, all, { stdio: ['pipe', 'pipe', 'inherit'] });
		this.#lines = createInterface(this.#child.stdout!);
		this.#ports = JSON.parse(await this.#line()) as Record<Side, number>;
		this.#host = host;
	}

	/** @throws an Error when the relay has ended without one */
	async #line(): Promise<string> {
		const ended = once(this.#lines!, 'close').then(() => [null]);
		const [line] = (await Promise.race([once(this.#lines!, 'line'), ended])) as [string | null];
		if (line === null) throw new Error('the relay has ended');
		return line;
	}
}

/** @throws an Error that says what is missing */
export const relayProgram = (): Promise<string> =>
	ensureGoProgram({ name: 'bench-relay', source: { folder: join(import.meta.dirname, 'relay') } });

/** Foundation, component, UDP, priority, then an IPv4 address and a port of a host's own. */
const HOST_CANDIDATE = /^(a=candidate:\S+ 1 udp \d+ )(\d+\.\d+\.\d+\.\d+) (\d+)( typ host.*)$/im;
const CANDIDATES = /^a=(candidate:.*|end-of-candidates)\r?\n/gm;

/** @throws an Error when the description has no candidate that a relay can stand for */
export function firstCandidate(sdp: string): { host: string; port: number } {
	const found = HOST_CANDIDATE.exec(sdp);
	if (!found) throw new Error('the description has no host candidate of UDP and IPv4');
	return { host: found[2]!, port: Number(found[3]) };
}

/** A description whose only candidate is its first one, at another address. */
export function leadingBy(sdp: string, host: string, port: number): string {
	const [, before, , , after] = HOST_CANDIDATE.exec(sdp)!;
	const line = `${before}${host} ${port}${after!.trimEnd()}\r\n`;
	let placed = false;
	return sdp.replace(CANDIDATES, () => {
		if (placed) return '';
		placed = true;
		return line;
	});
}
