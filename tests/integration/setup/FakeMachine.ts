/** A machine of which only its PATH and its cache are looked at, both made up. */

import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const cli = join(import.meta.dirname, '../../../bridge/cli.ts');

/** Ends a process for which nothing could be mounted. */
const NO_MOUNT = 70;

export interface Fake {
	/** As the probe prints it: major, minor, patch, and 1 when it can make environments. */
	version?: string;
	/** What its venv and pip say, and their status; nothing and 0 unless given. */
	venv?: string;
	pip?: string;
	/** Of whatever of the two says something. */
	status?: number;
	/** Seconds that pip takes. */
	takes?: number;
	/** What is wrong with it, once it is made; nothing unless given. */
	fault?: string;
	/** What the compiler says, and fails; it makes a folder unless given. */
	compiler?: string;
	/** Whether it takes what was compiled. */
	takesCompiled?: boolean;
}

export interface Result {
	code: number | null;
	stdout: string;
	/** What is printed on stderr, its prefix taken off. */
	lines: string[];
}

export class FakeMachine {
	readonly #root = mkdtempSync(join(tmpdir(), 'fake-machine-'));
	readonly bin = join(this.#root, 'bin');
	readonly cache = join(this.#root, 'cache');
	/** Children of run() and start(), for pids. */
	readonly #log = join(this.#root, 'log');

	constructor() {
		mkdirSync(this.bin);
	}

	/** Puts a shell script into PATH. */
	command(name: string, script: string): void {
		const path = join(this.bin, name);
		writeFileSync(path, `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`);
		chmodSync(path, 0o755);
	}

	/** Puts an interpreter into PATH that does as much of one as the set-up looks at. */
	python(name: string, fake: Fake = {}): void {
		const { version = '3 11 4 1', venv = '', pip = '', status = 1, takes = 0, fault = '', compiler = '' } = fake;
		const from = fake.takesCompiled === false ? 'association.py' : '"$AIORTC_WORKER_COMPILED/association.so"';
		this.command(
			name,
			`case "$*" in
				*ensurepip*) echo '${version}' ;;
				*subprocess*) shift 3; exec "$@" ;;
				'-I -m venv '*) echo venv >> '${this.#log}'; ${fail(venv, status)}; mkdir -p "$4/bin"; cp "$0" "$4/bin/python" ;;
				'-I -m pip '*) echo pip >> '${this.#log}'; sleep ${takes}; ${fail(pip, status)} ;;
				*compile.py*) echo compile >> '${this.#log}'; ${fail(compiler, 1)}; mkdir -p "$2/aiortc_worker" ;;
				*import_module*) echo ${from} ;;
				*importlib*) ${fail(fault, 1)} ;;
				*) echo "unexpected: $*" >&2; exit 9 ;;
			esac`,
		);
	}

	/** How often a step was run. */
	count(step: 'venv' | 'pip' | 'compile'): number {
		const text = existsSync(this.#log) ? readFileSync(this.#log, 'utf8') : '';
		return text.split('\n').filter((line) => line === step).length;
	}

	start(args = ['setup'], env: NodeJS.ProcessEnv = {}): ChildProcess {
		return spawn(process.execPath, [cli, ...args], {
			stdio: ['ignore', 'pipe', 'pipe'],
			env: { HOME: this.#root, PATH: this.bin, XDG_CACHE_HOME: this.cache, ...env },
		});
	}

	run(args?: string[], env?: NodeJS.ProcessEnv): Promise<Result> {
		return resultOf(this.start(args, env));
	}

	/**
	 * As run(), where `folder` is a disk of its own: a tmpfs with these options, which nobody else sees and which goes with
	 * the process. Null where this user may mount nothing.
	 */
	async runOn(folder: string, options: string, args = ['setup'], env: NodeJS.ProcessEnv = {}): Promise<Result | null> {
		mkdirSync(folder, { recursive: true });
		const mount = `mount -t tmpfs -o ${options} tmpfs '${folder}' || exit ${NO_MOUNT}`;
		const script = `PATH=/usr/sbin:/usr/bin:/sbin:/bin\n${mount}\nPATH='${this.bin}' exec "$@"`;
		const command = ['--map-root-user', '--mount', 'sh', '-c', script, 'sh', process.execPath, cli, ...args];
		const child = spawn('unshare', command, {
			stdio: ['ignore', 'pipe', 'pipe'],
			env: { HOME: this.#root, PATH: process.env.PATH, XDG_CACHE_HOME: this.cache, ...env },
		});
		const result = await resultOf(child).catch(() => null);
		return result?.code === NO_MOUNT || result?.lines[0]?.startsWith('unshare:') ? null : result;
	}

	remove(): void {
		rmSync(this.#root, { recursive: true, force: true });
	}
}

export function resultOf(child: ChildProcess): Promise<Result> {
	let stdout = '';
	let stderr = '';
	child.stdout!.setEncoding('utf8').on('data', (text: string) => {
		stdout += text;
	});
	child.stderr!.setEncoding('utf8').on('data', (text: string) => {
		stderr += text;
	});
	return new Promise((resolve, reject) => {
		child.on('error', reject);
		child.on('close', (code) => {
			const lines = stderr.trimEnd().split('\n').filter(Boolean);
			resolve({ code, stdout: stdout.trimEnd(), lines: lines.map((line) => line.replace(/^aiortc-shim: /, '')) });
		});
	});
}

function fail(output: string, status: number): string {
	return output ? `echo "${output}" >&2; exit ${status}` : ':';
}
