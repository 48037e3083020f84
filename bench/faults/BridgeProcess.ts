import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Isolation } from '../../bridge/backendOptions.ts';
import type { Access } from '../../bridge/limits.ts';
import { udpPorts } from './udpPorts.ts';

const COMMAND = join(import.meta.dirname, '../../bridge/cli.ts');
const PYTHON = join(import.meta.dirname, 'python');
const START_MS = 60_000;

export interface BridgeProcessOptions {
	readonly isolation: Isolation;
	readonly workers: number;
	readonly access: readonly (Partial<Access> & Pick<Access, 'token'>)[];
	/** The port of a bridge that was there before. */
	readonly port?: number;
	/** The folder for temporary files is a file system of its own, which full() fills. */
	readonly disk?: boolean;
}

/** A bridge as users start it, in a process of its own. */
export class BridgeProcess {
	/** What it and its workers wrote to stderr. */
	readonly log: string[] = [];
	url = '';

	readonly #child: ChildProcess;
	readonly #folder: string;
	readonly #disk: string;

	private constructor(options: BridgeProcessOptions) {
		const { isolation, workers, access, port = 0, disk } = options;
		this.#folder = mkdtempSync(join(tmpdir(), 'aiortc-faults-'));
		this.#disk = join(this.#folder, 'disk');
		const tokens = join(this.#folder, 'tokens.json');
		writeFileSync(tokens, JSON.stringify(access));
		const args = [COMMAND, 'bridge', '--tokens', tokens, '--isolation', isolation];
		args.push('--workers', `${workers}`, '--port', `${port}`);
		const env = { ...process.env, PYTHONPATH: [PYTHON, process.env.PYTHONPATH].filter(Boolean).join(delimiter) };
		const [command, ...rest] = disk ? onDisk(this.#disk, [process.execPath, ...args]) : [process.execPath, ...args];
		this.#child = spawn(command!, rest, {
			env: disk ? { ...env, TMPDIR: this.#disk } : env,
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		createInterface({ input: this.#child.stderr! }).on('line', (line) => this.log.push(line));
	}

	/**
	 * Resolves when a worker is ready.
	 *
	 * @throws {Error} it ended first; the message has what it said
	 */
	static async start(options: BridgeProcessOptions): Promise<BridgeProcess> {
		const bridge = new BridgeProcess(options);
		try {
			bridge.url = await bridge.#address();
			return bridge;
		} catch (error) {
			await bridge.close();
			throw error;
		}
	}

	get pid(): number {
		return this.#child.pid!;
	}

	get port(): number {
		return Number(new URL(this.url).port);
	}

	get isAlive(): boolean {
		return this.#child.exitCode === null && this.#child.signalCode === null;
	}

	/** The processes of its workers. */
	get workers(): number[] {
		return readdirSync('/proc')
			.filter((name) => /^\d+$/.test(name))
			.map(Number)
			.filter((pid) => parentOf(pid) === this.pid);
	}

	/** The worker that has a UDP port open. */
	workerOf(port: number): number {
		const inodes = udpPorts().get(port) ?? [];
		const found = this.workers.find((pid) => inodes.some((inode) => openFiles(pid).includes(`socket:[${inode}]`)));
		if (!found) throw new Error(`no worker has the UDP port ${port} open`);
		return found;
	}

	/** Fills its disk with files until there is room for none, or makes room again. */
	full(isFull: boolean): void {
		const folder = join('/proc', `${this.pid}`, 'root', this.#disk, 'filler');
		rmSync(folder, { recursive: true, force: true });
		if (!isFull) return;
		try {
			mkdirSync(folder);
			for (let count = 0; ; count++) writeFileSync(join(folder, `${count}`), '');
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
		}
	}

	/** Whoever reads what it logs goes away. */
	closeLog(): void {
		this.#child.stderr!.destroy();
	}

	/** Ends it as a crash does. */
	async kill(): Promise<void> {
		const gone = once(this.#child, 'exit');
		this.#child.kill('SIGKILL');
		await gone;
	}

	async close(): Promise<void> {
		if (this.isAlive) {
			const gone = once(this.#child, 'exit');
			this.#child.kill('SIGTERM');
			const timer = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
			await gone;
			clearTimeout(timer);
		}
		rmSync(this.#folder, { recursive: true, force: true });
	}

	async #address(): Promise<string> {
		const lines = createInterface({ input: this.#child.stdout! });
		const signal = AbortSignal.timeout(START_MS);
		const ended = once(this.#child, 'exit', { signal }).then(() => {
			throw new Error(`the bridge ended: ${this.log.join('\n')}`);
		});
		const [line] = (await Promise.race([once(lines, 'line', { signal }), ended])) as [string];
		ended.catch(() => {});
		return line.replace('AIORTC_SHIM_URL=', '');
	}
}

/** The command, with a file system of 200 files at `folder`, which ends with it (Linux, with user namespaces). */
function onDisk(folder: string, command: string[]): string[] {
	const mount = 'mkdir "$0" && mount -t tmpfs -o nr_inodes=200 tmpfs "$0" && exec "$@"';
	return ['unshare', '-rm', 'sh', '-c', mount, folder, ...command];
}

function parentOf(pid: number): number {
	try {
		return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]);
	} catch {
		return 0;
	}
}

/** What the descriptors of a process lead to. */
function openFiles(pid: number): string[] {
	try {
		return readdirSync(`/proc/${pid}/fd`).map((name) => readlinkSync(`/proc/${pid}/fd/${name}`));
	} catch {
		return [];
	}
}
