/** A file of tokens, which are seen by nobody else: not in `ps`, not in the environment. */

import { readFileSync, statSync } from 'node:fs';

/**
 * The tokens of a file, one a line; empty lines and those that begin with # are none.
 *
 * @throws {Error} it cannot be read, or has no token
 */
export function readTokenFile(file: string): string[] {
	const lines = readFileSync(file, 'utf8').split('\n');
	const tokens = lines.map((line) => line.trim()).filter((line) => line && !line.startsWith('#'));
	if (tokens.length === 0) throw new Error('has no token');
	return tokens;
}

/** Whether any user of the machine may read the file. Windows does not say so by its mode. */
export function isOpenToAll(file: string): boolean {
	return process.platform !== 'win32' && (statSync(file).mode & 0o004) !== 0;
}
