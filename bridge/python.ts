/** The managed Python environment: made on first use, in the user's cache, from the lock's exact packages. */

import { createHash } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { access, mkdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import envPaths from 'env-paths';
import { chooseInterpreter, findUv, type Interpreter, run, runSupervised, which } from './interpreter.ts';
import { writeStderr } from './log/stderr.ts';
import { LOCK, WORKER } from './paths.ts';
import { explain, SetupError } from './setupError.ts';

export { SetupError } from './setupError.ts';

export interface PythonOptions {
	/** The lock in `worker/` to make it from; `requirements.lock` unless given. */
	readonly lock?: string;
	/** Takes one line of progress, without its end; stderr unless given. Not called when there is nothing to make. */
	readonly onProgress?: (line: string) => void;
	/** Making the environment does not keep the process alive. */
	readonly unref?: boolean;
	/** Stops making it. */
	readonly signal?: AbortSignal;
}

/** A lock of another start is taken over when its holder has not touched it for so long. */
const STALE_MS = 20_000;
/** A disk with less than this is as good as full. */
const LEAST_BYTES = 16 << 20;
/** Written last: an environment without it was cut short. */
const MARKER = 'complete.json';

/** What would send packages elsewhere than into the new environment. */
const REDIRECTING = ['PIP_USER', 'PIP_TARGET', 'PIP_PREFIX', 'PYTHONHOME', 'PYTHONPATH'];

/** For an interpreter to import everything, cold, on a slow disk. */
const CHECK_MS = 60_000;

/** Fails with the name of the first thing that is missing or of another version. */
const CHECK = `import sys
if not sys.path[0]: del sys.path[0]
if sys.version_info < (3, 11): sys.exit('it is Python %d.%d, and 3.11 is needed' % sys.version_info[:2])
from importlib.metadata import version
for pin in sys.argv[1:]:
    name, wanted = pin.split('==')
    try: found = version(name)
    except Exception: sys.exit('it lacks ' + pin)
    if found != wanted: sys.exit('it has %s %s, and %s is needed' % (name, found, wanted))
try: import aiortc, aioice, av, msgspec, numpy
except Exception as error: sys.exit('%s: %s' % (type(error).__name__, error))`;

/**
 * The path of an interpreter that has the worker's packages; makes the environment when there is none yet.
 * `AIORTC_SHIM_PYTHON` names one instead, and nothing is installed then.
 *
 * Nothing is run when all is there, since a Python start is 50 ms that a caller waits for: a fault inside shows when a
 * worker does not start, and checkPython() then says what it is.
 *
 * @throws {SetupError} what is missing on this machine, and what to do about it
 */
export async function ensurePython(options: PythonOptions = {}): Promise<string> {
	const found = await findPython(options.lock);
	if (found) return found;
	const place = await environmentPlace(options.lock);
	return underLock(place, options, () => make(place, options));
}

/** As ensurePython(), but null when the environment is still to be made. */
export async function findPython(lock?: string): Promise<string | null> {
	const given = givenPython();
	if (given) return given;
	const place = await environmentPlace(lock);
	return isComplete(place) ? pythonOf(place) : null;
}

/**
 * Checks an interpreter by importing what the worker imports.
 *
 * @throws {SetupError} the first thing that is wrong with it
 */
export async function checkPython(python: string): Promise<void> {
	const pins = (await readLock()).match(/^(aiortc|aioice|av)==\S+/gm) ?? [];
	const { code, output } = await run(python, ['-c', CHECK, ...pins], CHECK_MS);
	if (code === 0) return;
	const fault = output.trim().split('\n').at(-1) || 'it does not run';
	throw new SetupError(
		givenPython() === python
			? `AIORTC_SHIM_PYTHON is ${python}, but ${fault}: install there what ${LOCK} names, or unset it`
			: `the Python environment of ${python} is broken (${fault}): delete that folder, or run npx aiortc-shim setup`,
	);
}

/** Removes the managed environment if it is broken, so that ensurePython() makes it anew; whether it was. */
export async function discardBroken(python: string): Promise<boolean> {
	try {
		await checkPython(python);
		return false;
	} catch (error) {
		const place = await environmentPlace();
		if (pythonOf(place) !== python) throw error;
		await rm(join(place, MARKER), { force: true });
		return true;
	}
}

/**
 * The folder that environments are made in, which is made when it is not there.
 *
 * @throws {SetupError} it cannot be written
 */
export async function ensureCache(): Promise<string> {
	const { cache } = envPaths('aiortc-shim', { suffix: '' });
	try {
		await makeFolder(cache);
		await access(cache, constants.W_OK);
		return cache;
	} catch (error) {
		throw explain('the cache folder', (error as Error).message, cache);
	}
}

/** As mkdir's `recursive`, which never ends where a folder refuses others by ENOENT, as those of /proc and some mounts do. */
async function makeFolder(path: string): Promise<void> {
	if (existsSync(path)) return;
	await makeFolder(dirname(path));
	await mkdir(path).catch((error: NodeJS.ErrnoException) => {
		// Another start may have been faster.
		if (error.code !== 'EEXIST') throw error;
	});
}

/** The interpreter that AIORTC_SHIM_PYTHON names, by path or by name; null when it names none. */
function givenPython(): string | null {
	const given = process.env.AIORTC_SHIM_PYTHON;
	if (!given) return null;
	const path = /[/\\]/.test(given) ? existsSync(given) && given : which(given)[0];
	if (!path) throw new SetupError(`AIORTC_SHIM_PYTHON is ${given}, which does not exist: correct or unset it`);
	return path;
}

/** One folder for each content of the lock and kind of machine: an update never meets an older one's packages. */
async function environmentPlace(lock = 'requirements.lock'): Promise<string> {
	const hash = createHash('sha256').update(await readLock(lock));
	const key = hash.update(`${process.platform} ${process.arch}`).digest('hex').slice(0, 16);
	return join(envPaths('aiortc-shim', { suffix: '' }).cache, `python-${key}`);
}

/** @throws {SetupError} the package's files are not beside its program */
async function readLock(lock = 'requirements.lock'): Promise<string> {
	try {
		return await readFile(join(WORKER, lock), 'utf8');
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		if (code !== 'ENOENT') throw new SetupError(message);
		throw new SetupError(
			`${WORKER} is not there, which is Python and cannot be bundled: leave aiortc-shim out of a bundle for Node (esbuild --external:aiortc-shim)`,
		);
	}
}

function pythonOf(place: string): string {
	return process.platform === 'win32' ? join(place, 'Scripts', 'python.exe') : join(place, 'bin', 'python');
}

/** Follows the link, too: an environment goes with the Python that it was made with. */
function isComplete(place: string): boolean {
	return existsSync(join(place, MARKER)) && existsSync(pythonOf(place));
}

/** Runs `work` while this process alone holds `place`; waits, with one line, while another does. */
async function underLock(place: string, options: PythonOptions, work: () => Promise<void>): Promise<string> {
	// Not at the top: it listens to the process's signals, which is too much for a program that never makes anything.
	const { lock } = (await import('proper-lockfile')).default;
	await ensureCache();
	for (let waiting = false; ; waiting = true) {
		options.signal?.throwIfAborted();
		const release = await lock(place, { realpath: false, stale: STALE_MS, update: STALE_MS / 4 }).catch((error) => {
			if (error.code === 'ELOCKED') return null;
			throw explain('the lock', error.message, dirname(place));
		});
		if (release) {
			try {
				// Another start may have made it meanwhile.
				if (!isComplete(place)) await work();
				return pythonOf(place);
			} finally {
				await release().catch(() => {});
			}
		}
		if (!waiting) report(options, 'another start is making the Python environment: waiting for it');
		await new Promise((resolve) => {
			const timer = setTimeout(resolve, 250);
			if (options.unref) timer.unref();
		});
	}
}

/** A virtual environment cannot be moved, so it is made in its place, and its marker is written last. */
async function make(place: string, options: PythonOptions): Promise<void> {
	const uv = await findUv();
	const base = await chooseInterpreter({ needsVenv: uv === null });
	const started = performance.now();
	report(options, `making the Python environment with ${uv ? 'uv' : 'pip'}, once, in ${place}`);
	await rm(place, { recursive: true, force: true });
	for (const [step, command] of steps(place, base, uv, options.lock ?? 'requirements.lock')) {
		const { signal, unref } = options;
		const { code, output } = await runSupervised(base.path, command, { without: REDIRECTING, unref, signal });
		if (code === 0) continue;
		// Not each step passes on what the one in it said.
		const cause = (await isFull(place)) ? 'ENOSPC' : output;
		await rm(place, { recursive: true, force: true }).catch(() => {});
		signal?.throwIfAborted();
		throw explain(step, cause, place);
	}
	const about = JSON.stringify({ base: base.path, version: base.version.join('.') });
	await writeFile(join(place, MARKER), about).catch((error: Error) => {
		throw explain('the environment', error.message, place);
	});
	report(options, `the Python environment is ready (${((performance.now() - started) / 1000).toFixed(0)} s)`);
}

/** Whether the disk of `place` has no room to speak of. */
async function isFull(place: string): Promise<boolean> {
	const disk = await statfs(dirname(place)).catch(() => null);
	return disk !== null && (disk.bavail * disk.bsize < LEAST_BYTES || (disk.files > 0 && disk.ffree === 0));
}

function steps(place: string, base: Interpreter, uv: string | null, lock: string): [string, string[]][] {
	const python = pythonOf(place);
	const what = ['--require-hashes', '-r', join(WORKER, lock)];
	if (uv) {
		return [
			['uv venv', [uv, 'venv', '--quiet', '--no-project', '--python', base.path, place]],
			['uv pip install', [uv, 'pip', 'install', '--quiet', '--python', python, ...what]],
		];
	}
	return [
		['python -m venv', [base.path, '-I', '-m', 'venv', place]],
		['pip install', [python, '-I', '-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', ...what]],
	];
}

function report({ onProgress }: PythonOptions, line: string): void {
	if (onProgress) onProgress(line);
	else writeStderr(`aiortc-shim: ${line}\n`);
}
