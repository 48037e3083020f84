/** Compiles the worker's pure modules by mypyc; `compiled.ts` finds what came of it. */

import { existsSync, renameSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { COMPILER_LOCK, compiledModules, compiledPlace } from './compiled.ts';
import { setupEnvironment } from './environment.ts';
import { run, runSupervised } from './interpreter.ts';
import { WORKER } from './paths.ts';
import { ensureCache, ensurePython } from './python.ts';
import { explain, SetupError } from './setupError.ts';

const PROGRAM = join(WORKER, 'compile.py');

/** Says where a module comes from: a Python of another version passes over what is not built for it. */
const CHECK = 'import importlib, sys; print(importlib.import_module(sys.argv[1]).__file__)';
const CHECK_MS = 60_000;

/**
 * Compiles for `python`, unless that has been done; the folder.
 *
 * @throws {SetupError} there is no C compiler, or the compiler's packages cannot be had
 */
export async function ensureCompiled(python: string): Promise<string> {
	const place = compiledPlace(python);
	if (existsSync(place)) return place;
	const compiler = await ensurePython({ lock: COMPILER_LOCK });
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
	const env = { ...setupEnvironment(), PYTHONPATH: WORKER, AIORTC_WORKER_COMPILED: place };
	const module = compiledModules()[0]!.replace('.py', '').replaceAll('/', '.');
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
