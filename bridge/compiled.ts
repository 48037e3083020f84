/** Where the compiled modules of the worker are: in the user's cache, for one Python and one state of the sources. */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { WORKER } from './paths.ts';

/** What the compiler is made of. */
export const COMPILER_LOCK = 'requirements-compile.lock';
const PACKAGE = 'aiortc_worker/sctp';

/** The folder of the compiled modules for `python`; null when there is none for the sources of today. */
export function findCompiled(python: string): string | null {
	const place = compiledPlace(python);
	return existsSync(place) ? place : null;
}

/** The folder that they are in, or would be. */
export function compiledPlace(python: string): string {
	const hash = createHash('sha256');
	for (const name of [...compiledModules(), 'compile.py', COMPILER_LOCK]) {
		hash.update(`${name}\n`).update(readFileSync(join(WORKER, name)));
	}
	const key = hash.update(python).digest('hex').slice(0, 16);
	return join(envPaths('aiortc-shim', { suffix: '' }).cache, `native-${key}`);
}

/** The files that are compiled, in the folder of the worker. */
export function compiledModules(): string[] {
	const files = readdirSync(join(WORKER, PACKAGE)).sort();
	return files.filter((name) => name.endsWith('.py') && name !== '__init__.py').map((name) => `${PACKAGE}/${name}`);
}
