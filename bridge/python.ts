/** The managed Python environment: found, made on first use, checked, repaired. */

/** The Python side cannot be had; the message is a sentence that says what to do. */
export class SetupError extends Error {
	override readonly name = 'SetupError';
}

export interface PythonOptions {
	/** Where `PATH`, `XDG_CACHE_HOME` and `AIORTC_SHIM_PYTHON` are read from; the process's environment unless given. */
	readonly env?: NodeJS.ProcessEnv;
	/** Takes one line of progress, without its end; stderr unless given. Never called when there is nothing to make. */
	readonly onProgress?: (line: string) => void;
}

/**
 * The path of an interpreter that has the worker's packages; makes the environment when there is none yet.
 *
 * @throws {SetupError} what is missing on this machine, and what to do about it
 */
export async function ensurePython(_options: PythonOptions = {}): Promise<string> {
	throw new SetupError('not yet');
}
