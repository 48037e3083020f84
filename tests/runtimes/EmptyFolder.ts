/** A newcomer's folder: the packed package, installed there with npm, and programs of the newcomer's own. */

import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePython } from '../../bridge/python.ts';
import { run } from '../../scripts/subprocess.ts';
import type { Runtime } from './runtimes.ts';

const root = join(import.meta.dirname, '../..');

export interface Ended {
	code: number | null;
	stdout: string;
	stderr: string;
	/** Milliseconds from the line `end` of its output to its exit. */
	lingered: number;
}

export interface Program {
	readonly child: ChildProcess;
	readonly ended: Promise<Ended>;
	/** What it has printed so far. */
	readonly stdout: string;
	/** Resolves when it has printed the line; rejects when it ends without. */
	said(line: string): Promise<void>;
}

export class EmptyFolder {
	/**
	 * @param others packages that the programs need, `name@version`
	 */
	static async create(others: readonly string[] = []): Promise<EmptyFolder> {
		const folder = new EmptyFolder(await ensurePython());
		cpSync(join(import.meta.dirname, 'programs'), folder.path, { recursive: true });
		writeFileSync(folder.at('package.json'), '{ "private": true }');
		await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', await folder.#pack(), ...others], {
			cwd: folder.path,
		});
		return folder;
	}

	readonly path = realpathSync(mkdtempSync(join(tmpdir(), 'aiortc-newcomer-')));
	readonly #python: string;
	readonly #children: ChildProcess[] = [];

	private constructor(python: string) {
		this.#python = python;
	}

	at(...names: string[]): string {
		return join(this.path, ...names);
	}

	/** The tarball. */
	get packed(): string {
		return this.at('aiortc-shim.tgz');
	}

	/** A file of the installed package. */
	installed(...names: string[]): string {
		return this.at('node_modules', 'aiortc-shim', ...names);
	}

	/** Starts one of the programs; `variables` are added to its environment. */
	start(
		{ command: [binary, ...options] }: Runtime,
		program: string,
		args: readonly string[] = [],
		variables: NodeJS.ProcessEnv = {},
	): Program {
		const child = spawn(binary, [...options, program, ...args], {
			cwd: this.path,
			env: { ...this.environment, ...variables },
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		this.#children.push(child);
		return observe(child);
	}

	/** Runs one of the programs to its end. */
	run(runtime: Runtime, program: string, variables?: NodeJS.ProcessEnv): Promise<Ended> {
		return this.start(runtime, program, [], variables).ended;
	}

	/** Nothing of the checkout but the Python packages, which take minutes to install. */
	get environment(): NodeJS.ProcessEnv {
		const { NODE_OPTIONS: _, NODE_PATH: __, ...environment } = process.env;
		return { ...environment, AIORTC_SHIM_PYTHON: this.#python };
	}

	/** With what still runs there, as it does when a test has failed. */
	remove(): void {
		for (const child of this.#children) child.kill('SIGKILL');
		rmSync(this.path, { recursive: true, force: true });
	}

	/** As `npm run pack` does, apart from the checkout's dist/. */
	async #pack(): Promise<string> {
		const built = this.at('built');
		await run(process.execPath, [join(root, 'esbuild.config.mjs'), built]);
		let name = '';
		await run('npm', ['pack', '--silent', './built'], { cwd: this.path, onLine: (line) => (name = line) });
		copyFileSync(this.at(name), this.packed);
		rmSync(built, { recursive: true });
		rmSync(this.at(name));
		return this.packed;
	}
}

function observe(child: ChildProcess): Program {
	let stdout = '';
	let stderr = '';
	let end = Number.NaN;
	const waiting = new Map<string, () => void>();
	child.stdout!.setEncoding('utf8').on('data', (text: string) => {
		stdout += text;
		const lines = stdout.split('\n');
		if (lines.includes('end')) end ||= performance.now();
		for (const [line, resolve] of waiting) {
			if (lines.includes(line)) resolve();
		}
	});
	child.stderr!.setEncoding('utf8').on('data', (text: string) => {
		stderr += text;
	});
	const ended = new Promise<Ended>((resolve) => {
		child.on('close', (code) => resolve({ code, stdout, stderr, lingered: performance.now() - end }));
	});
	const said = (line: string) =>
		new Promise<void>((resolve, reject) => {
			waiting.set(line, resolve);
			void ended.then(() => reject(new Error(`it ended without ${line}: ${stdout}${stderr}`)));
		});
	return {
		child,
		ended,
		said,
		get stdout() {
			return stdout;
		},
	};
}
