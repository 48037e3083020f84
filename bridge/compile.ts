/** The worker's pure modules compiled by mypyc: into the user's cache, for one Python and one state of the sources. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { run, runSupervised } from './interpreter.ts';
import { WORKER } from './paths.ts';
import { ensureCache, ensurePython } from './python.ts';
import { explain, SetupError } from './setupError.ts';

/** What the compiler is made of. */
const LOCK = 'requirements-compile.lock';
const PROGRAM = join(WORKER, 'compile.py');
const PACKAGE = 'aiortc_worker/sctp';

/** Says where a module comes from: a Python of another version passes over what is not built for it. */
const CHECK = 'import importlib, sys; print(importlib.import_module(sys.argv[1]).__file__)';
const CHECK_MS = 60_000;

/** The folder of the compiled modules for `python`; null when there is none for the sources of today. */
export function findCompiled(python: string): string | null {
	const place = placeFor(python);
	return existsSync(place) ? place : null;
}

/**
 * Compiles for `python`, unless that has been done; the folder.
 *
 * @throws {SetupError} there is no C compiler, or the compiler's packages cannot be had
 */
export async function ensureCompiled(python: string): Promise<string> {
	const place = placeFor(python);
	if (existsSync(place)) return place;
	const compiler = await ensurePython({ lock: LOCK });
	await ensureCache();
	// Made beside its place and moved there whole: a worker that starts meanwhile finds all of it or nothing.
	const made = await mkdtemp(`${place}-`);
	try {
		process.stderr.write('aiortc-shim: compiling, once; about a minute\n');
		const { code, output } = await runSupervised(compiler, [compiler, PROGRAM, made]);
		if (code !== 0) throw explainCompiler(output, place);
		await check(python, made);
		move(made, place);
		return place;
	} finally {
		await rm(made, { recursive: true, force: true });
	}
}

/** Another start may have been faster, with the same outcome. */
function move(from: string, to: string): void {
	try {
		renameSync(from, to);
	} catch (error) {
		if (!existsSync(to)) throw error;
	}
}

async function check(python: string, place: string): Promise<void> {
	const env = { ...process.env, PYTHONPATH: WORKER, AIORTC_WORKER_COMPILED: place };
	const module = `${PACKAGE}/${modules()[0]}`.replace('.py', '').replaceAll('/', '.');
	const { output } = await run(python, ['-P', '-c', CHECK, module], CHECK_MS, env);
	const found = output.trim();
	if (found.startsWith(place)) return;
	throw new SetupError(
		`${python} does not take what was compiled (${found}): is it of the version of the compiler's Python?`,
	);
}

function explainCompiler(output: string, place: string): SetupError {
	if (/unable to execute|command '[^']*' failed: No such file|Python\.h|error: Microsoft Visual C\+\+/.test(output)) {
		return new SetupError(
			'a C compiler with the headers of Python is needed (Debian: apt install gcc python3-dev): install it, then run setup --compile again',
		);
	}
	return explain('compiling', output, place);
}

function placeFor(python: string): string {
	const hash = createHash('sha256');
	for (const name of [...modules().map((module) => join(PACKAGE, module)), 'compile.py', LOCK]) {
		hash.update(`${name}\n`).update(readFileSync(join(WORKER, name)));
	}
	const key = hash.update(python).digest('hex').slice(0, 16);
	return join(envPaths('aiortc-shim', { suffix: '' }).cache, `native-${key}`);
}

/** The files that are compiled. */
function modules(): string[] {
	const files = readdirSync(join(WORKER, PACKAGE)).sort();
	return files.filter((name) => name.endsWith('.py') && name !== '__init__.py');
}
