/** What can go wrong while the Python environment is made, each in a sentence that says what to do. */

import { statSync } from 'node:fs';
import { LOCK } from './paths.ts';

/** The Python side cannot be had; the message is a sentence that says what to do. */
export class SetupError extends Error {
	override readonly name = 'SetupError';
}

const OFFLINE =
	/name resolution|name or service not known|failed to establish a new connection|connection (refused|reset|error)|network is unreachable|dns error|error sending request|could not connect|max retries exceeded|timed out|from versions: none/i;

/** What a full disk makes programs say. */
export const FULL = /ENOSPC|no space left|Errno 28\b|EDQUOT|disk quota exceeded/i;

/** ENOENT of a folder: nothing can be made in its parent, as in /proc. */
const UNWRITABLE = /EACCES|EROFS|EPERM|ENOTDIR|EEXIST|ENOENT: [^\n]*, mkdir|permission denied|read-only file system/i;

/** The sentence for a step that failed with `output`, while `place` was being made. */
export function explain(step: string, output: string, place: string): SetupError {
	return new SetupError(sentence(step, output, place));
}

/** The sentence for a worker whose folder for its socket, in `root`, or the socket itself could not be made. */
export function explainTemporary(output: string, root: string): SetupError {
	const variable = process.platform === 'win32' ? 'TEMP' : 'TMPDIR';
	if (FULL.test(output)) {
		return new SetupError(
			`the disk of temporary files is full: free some of ${root}, or let ${variable} name a folder on another disk`,
		);
	}
	if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) {
		return new SetupError(`${root} is not a folder: make it, or let ${variable} name one for temporary files`);
	}
	return new SetupError(
		`cannot write ${root} (${lastLine(output)}): make it writable, or let ${variable} name a folder that is`,
	);
}

function sentence(step: string, output: string, place: string): string {
	if (FULL.test(output)) {
		return `the disk is full: free 400 MB for ${place}, or let XDG_CACHE_HOME name a folder on another disk`;
	}
	if (UNWRITABLE.test(output)) {
		return `cannot write ${place}: make it writable, or let XDG_CACHE_HOME name a folder that is`;
	}
	if (/ensurepip is not available|no module named '?(ensurepip|venv)/i.test(output)) return missingVenv('Python');
	if (/do not match the hashes|hash mismatch/i.test(output)) {
		return `a package from the index is not the one that ${LOCK} names (${step}): check the mirror, then start again`;
	}
	if (OFFLINE.test(output)) {
		return `the Python packages could not be downloaded (${step}): connect to the network, or set HTTPS_PROXY or a mirror for pip, then start again`;
	}
	return `${step} failed (${lastLine(output)}): correct that, then start again, or let AIORTC_SHIM_PYTHON name a Python that has what ${LOCK} names`;
}

export function missingVenv(path: string): string {
	return `${path} cannot make virtual environments: install its venv module (Debian: apt install python3-venv) or uv, then start again`;
}

export function noPython(older: string | null): string {
	const found = older ? `found only ${older}` : 'found none';
	return `Python >= 3.11 is needed, ${found}: install it (Debian: apt install python3 python3-venv; macOS: brew install python), or let AIORTC_SHIM_PYTHON name one`;
}

function lastLine(output: string): string {
	return output.trim().split('\n').at(-1)?.trim() || 'without a word';
}
