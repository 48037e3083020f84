/** Where the package runs: a name, and the command line that a program's file is appended to. */

import { join } from 'node:path';
import { ensureTools } from './tools.ts';

export interface Runtime {
	readonly name: string;
	readonly command: readonly [string, ...string[]];
}

const { platform, arch } = process;
const DENO = { linux: `linux-${arch}-glibc`, darwin: `darwin-${arch}`, win32: `win32-${arch}` }[platform as string];

/** Their binaries: what `deno` and `bun` of npm are is a program of Node that starts these. */
export async function allRuntimes(): Promise<Runtime[]> {
	const modules = await ensureTools();
	const bun = `bun-${platform}-${arch === 'arm64' ? 'aarch64' : arch}`;
	return [
		{ name: 'Node', command: [process.execPath] },
		{ name: 'Deno', command: [join(modules, '@deno', `${DENO}`, 'deno'), 'run', '--allow-all', '--no-prompt'] },
		{ name: 'Bun', command: [join(modules, '@oven', bun, 'bin', 'bun'), 'run'] },
	];
}
