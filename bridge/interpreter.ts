/** Finds what the Python environment is made with, and runs it so that nothing outlives this process. */

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setupEnvironment } from './environment.ts';
import { missingVenv, noPython, SetupError } from './setupError.ts';

/** The oldest Python that aiortc runs on. */
const MINIMUM: readonly [number, number] = [3, 11];

const NAMES = ['python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3', 'python'];

/** For an interpreter to say what it is. */
const PROBE_MS = 10_000;

/** Prints what decides whether an interpreter will do. */
const PROBE = `import sys
try:
    import ensurepip, venv
    ok = 1
except ImportError:
    ok = 0
print(sys.version_info[0], sys.version_info[1], sys.version_info[2], ok)`;

/** Runs its arguments, and kills them when stdin closes: which it does, however this process ends. */
const SUPERVISOR = `import os, signal, subprocess, sys, threading
posix = os.name == 'posix'
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=posix)
def watch():
    os.read(0, 1)
    os.killpg(child.pid, signal.SIGKILL) if posix else child.kill()
threading.Thread(target=watch, daemon=True).start()
os._exit(child.wait() & 255)`;

export interface Interpreter {
	readonly path: string;
	readonly version: readonly [number, number, number];
	/** Whether it can make a virtual environment that has pip; Debian's cannot without python3-venv. */
	readonly hasVenv: boolean;
}

export interface Outcome {
	/** Exit status; -1 when it could not be started or was killed. */
	readonly code: number;
	/** Both its outputs, as they came. */
	readonly output: string;
}

/** All files called `name` that PATH leads to, best first. */
export function which(name: string): string[] {
	const file = process.platform === 'win32' ? `${name}.exe` : name;
	const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
	return [...new Set(folders.map((folder) => join(folder, file)))].filter(isExecutable);
}

function isExecutable(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return statSync(path).isFile();
	} catch {
		return false;
	}
}

/** Runs a short command to its end, or for `timeout` milliseconds; never rejects. */
export function run(
	command: string,
	args: readonly string[],
	timeout: number,
	env: NodeJS.ProcessEnv = setupEnvironment(),
): Promise<Outcome> {
	const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env, windowsHide: true });
	// Not spawn's own timeout, which goes on, and keeps the process alive, when the command cannot be started.
	const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
	return outcome(child).finally(() => clearTimeout(timer));
}

/**
 * Runs a long command under `python`'s supervision: it and its children end when this process does, even by SIGKILL.
 * `without` names variables that it must not see.
 */
export function runSupervised(
	python: string,
	args: readonly string[],
	options: { without?: readonly string[]; unref?: boolean; signal?: AbortSignal } = {},
): Promise<Outcome> {
	const child = spawn(python, ['-I', '-c', SUPERVISOR, ...args], {
		stdio: ['pipe', 'pipe', 'pipe'],
		env: setupEnvironment(options.without),
		windowsHide: true,
	});
	options.signal?.addEventListener('abort', () => child.stdin.destroy());
	if (options.unref) unrefChild(child);
	return outcome(child);
}

function outcome(child: ChildProcess): Promise<Outcome> {
	return new Promise((resolve) => {
		let output = '';
		for (const stream of [child.stdout, child.stderr]) {
			stream?.setEncoding('utf8').on('data', (text: string) => {
				output += text;
			});
		}
		child.on('error', (error) => resolve({ code: -1, output: error.message }));
		child.on('close', (code) => resolve({ code: code ?? -1, output }));
	});
}

/** Lets this process end while `child` runs. */
export function unrefChild(child: { unref(): void; readonly stdio: readonly unknown[] }): void {
	child.unref();
	for (const stream of child.stdio) (stream as { unref?: () => void } | null | undefined)?.unref?.();
}

/**
 * The first interpreter in PATH that the environment can be made with.
 *
 * @throws {SetupError} there is none, only older ones, or only ones that cannot make a virtual environment
 */
export async function chooseInterpreter({ needsVenv }: { needsVenv: boolean }): Promise<Interpreter> {
	let older: string | null = null;
	let venvless: string | null = null;
	for (const path of NAMES.flatMap(which)) {
		const found = await probe(path);
		// Not all that is called so is one: pyenv has a script for each version that any of its users has.
		if (!found) continue;
		if (!isRecent(found)) older ??= `${path} (${found.version.join('.')})`;
		else if (needsVenv && !found.hasVenv) venvless ??= path;
		else return found;
	}
	throw new SetupError(venvless ? missingVenv(venvless) : noPython(older));
}

async function probe(path: string): Promise<Interpreter | null> {
	const { code, output } = await run(path, ['-I', '-c', PROBE], PROBE_MS);
	const match = /^(\d+) (\d+) (\d+) ([01])$/m.exec(output);
	if (code !== 0 || !match) return null;
	const [major, minor, patch] = match.slice(1, 4).map(Number) as [number, number, number];
	return { path, version: [major, minor, patch], hasVenv: match[4] === '1' };
}

function isRecent({ version: [major, minor] }: Interpreter): boolean {
	return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]);
}

/** A `uv` that works, or null. */
export async function findUv(): Promise<string | null> {
	for (const path of which('uv')) {
		const { code } = await run(path, ['--version'], PROBE_MS);
		if (code === 0) return path;
	}
	return null;
}
