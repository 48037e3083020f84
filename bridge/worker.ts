/** A worker process: started, connected to, and ended with everything it left in the file system. */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogRecord } from '../shim/link/log.ts';
import { workerEnvironment } from './environment.ts';
import { Gate } from './Gate.ts';
import { Health } from './health.ts';
import { unrefChild } from './interpreter.ts';
import { LocalSocket } from './LocalSocket.ts';
import type { BridgeLog } from './log/BridgeLog.ts';
import { readLines } from './log/readLines.ts';
import { workerRecord } from './log/workerRecord.ts';
import { explainTemporary, FULL } from './setupError.ts';
import { WorkerGoneError, WorkerStartError } from './workerErrors.ts';

/** Its folder's name begins so, then comes the bridge's process id: by these a later start finds what a crash left. */
export const FOLDER_PREFIX = 'aiortc-shim-';
export const SOCKET_NAME = 'worker.sock';

const START_MS = 30_000;
/** From its stdin's end to SIGKILL: the worker itself takes at most 5 s to end its sessions. */
const STOP_MS = 6_000;
/** Sessions that are being opened at once: asyncio lets 100 wait to be accepted, and a Unix socket refuses the next one. */
const OPENING = 50;
/** Characters of what it logs, for the error of one that did not start. */
const KEPT_ERROR_LENGTH = 4096;
/** Records that wait until it has started. */
const MOST_EARLY_RECORDS = 100;

export interface WorkerOptions {
	readonly python: string;
	/** Does not keep the process alive. */
	readonly unref?: boolean;
	/** Ends a worker that is not ready yet. */
	readonly signal: AbortSignal;
	/** Takes what the worker prints on stderr, and what is to be said of it. */
	readonly log: BridgeLog;
}

export class Worker {
	/** Called once, when the process has ended. */
	onexit: (() => void) | null = null;
	/** For the opening of sessions: from connect() to the worker's hello. */
	readonly gate: Gate = new Gate(OPENING);

	readonly #child: ChildProcess;
	readonly #unref: boolean;
	readonly #folder = makeFolder();
	/** On Windows, where any local user may connect to the port. */
	readonly #secret = process.platform === 'win32' ? randomBytes(32).toString('hex') : null;
	readonly #health: Health;
	#hung = false;
	#address: NetConnectOpts = { path: join(this.#folder, SOCKET_NAME) };
	#alive = true;

	private constructor(options: WorkerOptions) {
		const { python, unref = false } = options;
		this.#unref = unref;
		const where = this.#secret ? ['--tcp'] : ['--socket', join(this.#folder, SOCKET_NAME)];
		const level = ['--log-level', options.log.level];
		const debug = process.env.AIORTC_SHIM_DEBUG ? ['--debug'] : [];
		// -P: a file of the current folder must not stand in for a module of the same name.
		this.#child = spawn(python, ['-P', '-m', 'aiortc_worker', ...where, ...level, ...debug], {
			stdio: ['pipe', 'pipe', 'pipe'],
			env: workerEnvironment(python, this.#secret),
			windowsHide: true,
		});
		if (unref) unrefChild(this.#child);
		// What cannot be written to a worker that is gone is of no interest.
		this.#child.stdin?.on('error', () => {});
		this.#child.once('error', () => this.#ended());
		this.#child.once('exit', () => this.#ended());
		this.#health = new Health(
			(line) => this.#child.stdin?.write(`${line}\n`),
			() => {
				this.#hung = true;
				options.log.say('worker-hangs', 'a worker hangs: it is killed, and its sessions end', { worker: this.pid });
				this.#child.kill('SIGKILL');
			},
		);
	}

	/**
	 * Starts a worker; resolves when it accepts connections.
	 *
	 * @throws {WorkerStartError} it ended first, or said nothing for 30 s
	 * @throws {SetupError} there is no place for its socket
	 */
	static async start(options: WorkerOptions): Promise<Worker> {
		options.signal.throwIfAborted();
		const worker = new Worker(options);
		const stderr = keepTail(worker.#child, (record) =>
			options.log.pass({ ...record, fields: { ...record.fields, worker: worker.pid } }),
		);
		const kill = () => worker.#child.kill('SIGKILL');
		options.signal.addEventListener('abort', kill);
		try {
			let heard = (line: string) => worker.#health.heard(line);
			const firstLine = new Promise<string>((resolve) => {
				heard = resolve;
			});
			readLines(worker.#child.stdout!, (line) => heard(line));
			const { port } = await ready(worker.#child, firstLine, worker.#unref);
			heard = (line) => worker.#health.heard(line);
			if (port) worker.#address = { host: '127.0.0.1', port };
			worker.#health.start();
			stderr.passOn();
			return worker;
		} catch (error) {
			kill();
			if (FULL.test(stderr.lastWords())) throw explainTemporary(stderr.lastWords(), socketRoot());
			throw new WorkerStartError(`the worker did not start: ${(error as Error).message}${stderr.lastWords()}`);
		} finally {
			options.signal.removeEventListener('abort', kill);
		}
	}

	get pid(): number {
		return this.#child.pid ?? 0;
	}

	get alive(): boolean {
		return this.#alive;
	}

	/** Whether its event loop has answered lately. */
	get answers(): boolean {
		return this.#health.answers;
	}

	/** Whether it was killed because its event loop did not answer, which has been logged. */
	get hung(): boolean {
		return this.#hung;
	}

	/** How it ended, for its sessions. */
	get end(): string {
		return this.hung ? 'the worker hung, and was killed' : 'the worker died';
	}

	/**
	 * Opens a connection, which is a session.
	 *
	 * @throws {WorkerGoneError} nobody listens there any more
	 */
	async connect(): Promise<LocalSocket> {
		const local = await LocalSocket.connect(this.#address, this.#unref).catch((error: Error) => {
			throw new WorkerGoneError(`the worker died: ${error.message}`);
		});
		if (this.#secret) local.send(this.#secret, false);
		return local;
	}

	/** Lets it end by itself, then ends it; resolves when it is gone. */
	async stop(): Promise<void> {
		if (!this.#alive) return;
		// Not `exit`, after which its pipes are still open.
		const gone = once(this.#child, 'close');
		this.#child.stdin?.end();
		const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
		if (this.#unref) timer.unref();
		await gone;
		clearTimeout(timer);
	}

	#ended(): void {
		if (!this.#alive) return;
		this.#alive = false;
		this.#health.stop();
		rmSync(this.#folder, { recursive: true, force: true });
		this.onexit?.();
	}
}

/** @throws {SetupError} it cannot be made */
function makeFolder(): string {
	const root = socketRoot();
	try {
		return mkdtempSync(join(root, `${FOLDER_PREFIX}${process.pid}-`));
	} catch (error) {
		throw explainTemporary((error as Error).message, root);
	}
}

/** A socket's path has at most 104 bytes on macOS, whose temporary folders have long names. */
export function socketRoot(): string {
	const root = tmpdir();
	return root.length <= 64 || process.platform === 'win32' ? root : '/tmp';
}

/** Settles when the worker has said `{"ready":{…}}`, which is its first line on stdout. */
function ready(child: ChildProcess, firstLine: Promise<string>, unref: boolean): Promise<{ port?: number }> {
	const failed = new Promise<never>((_, reject) => {
		child.once('error', reject);
		// Not `exit`, which does not wait for its last words.
		child.once('close', (code, signal) => reject(new Error(`it ended with ${signal ?? `status ${code}`}`)));
	});
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not ready after ${START_MS / 1000} s`)), START_MS);
		if (unref) timer.unref();
	});
	return Promise.race([firstLine.then(parseReady), failed, late]).finally(() => clearTimeout(timer));
}

function parseReady(line: string): { port?: number } {
	try {
		return (JSON.parse(line) as { ready: { port?: number } }).ready;
	} catch {
		throw new Error(`it said ${line.slice(0, 200)}`);
	}
}

/**
 * Hands on what the worker logs, from passOn() on: what it says before is the error's if it does not start, or else
 * only a traceback before the sentence that says what to do.
 */
function keepTail(child: ChildProcess, onrecord: (record: LogRecord) => void): { passOn(): void; lastWords(): string } {
	let kept = '';
	let waiting: LogRecord[] | null = [];
	readLines(child.stderr!, (line) => {
		const record = workerRecord(line);
		kept = `${kept}\n${record.message}`.slice(-KEPT_ERROR_LENGTH);
		if (waiting === null) onrecord(record);
		else if (waiting.length < MOST_EARLY_RECORDS) waiting.push(record);
	});
	return {
		passOn() {
			for (const record of waiting ?? []) onrecord(record);
			waiting = null;
		},
		// A traceback ends with what matters, and a close reason has room for one line.
		lastWords: () => (kept ? `: ${kept.slice(kept.lastIndexOf('\n') + 1)}${kept}` : ''),
	};
}
