import { type SpawnOptions, spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';

export interface RunOptions extends Pick<SpawnOptions, 'cwd' | 'env'> {
	/** Called with each line of the command's output, stdout and stderr alike. */
	onLine?: (line: string) => void;
	/** Milliseconds after which the command is killed. */
	timeout?: number;
}

const TAIL_LINES = 20;

/**
 * Runs a command to its end.
 *
 * @throws an Error whose message carries the end of the command's output, when it fails or cannot be started
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<void> {
	const { onLine, ...spawnOptions } = options;
	const child = spawn(command, args, { ...spawnOptions, stdio: ['ignore', 'pipe', 'pipe'] });
	const tail: string[] = [];
	for (const stream of [child.stdout, child.stderr]) {
		createInterface({ input: stream }).on('line', (line) => {
			tail.push(line);
			if (tail.length > TAIL_LINES) tail.shift();
			onLine?.(line);
		});
	}
	const outcome = await new Promise<string>((resolve, reject) => {
		child.once('error', reject);
		child.once('close', (code, signal) => resolve(signal ?? String(code)));
	});
	if (outcome !== '0') throw new Error(`${command} ended with ${outcome}:\n${tail.join('\n')}`);
}

/** Whether a command succeeds; its output is dropped. */
export async function succeeds(command: string, args: readonly string[], options: RunOptions = {}): Promise<boolean> {
	return run(command, args, options).then(
		() => true,
		() => false,
	);
}

/** The path of an executable on PATH, or null. */
export async function which(command: string): Promise<string | null> {
	for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
		const file = path.join(folder || '.', command);
		if (await isExecutable(file)) return file;
	}
	return null;
}

export async function isExecutable(file: string): Promise<boolean> {
	return access(file, constants.X_OK).then(
		() => true,
		() => false,
	);
}
