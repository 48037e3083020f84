/** What the package is tried with, fetched on demand: 230 MB that `npm ci` need not bring to those who only start it. */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import envPaths from 'env-paths';
import lockfile from 'proper-lockfile';
import { run } from '../../scripts/subprocess.ts';

const RECIPE = join(import.meta.dirname, 'tools');

/**
 * The `node_modules` with the tools, as `tools/package-lock.json` has them.
 *
 * @throws an Error with the end of what npm said, when they cannot be had
 */
export async function ensureTools(log: (line: string) => void = console.error): Promise<string> {
	const lock = await readFile(join(RECIPE, 'package-lock.json'));
	const key = createHash('sha256').update(lock).update(`${process.platform} ${process.arch}`).digest('hex');
	const cache = envPaths('aiortc-shim', { suffix: '' }).cache;
	const folder = join(cache, `tools-${key.slice(0, 16)}`);
	const modules = join(folder, 'node_modules');
	await mkdir(cache, { recursive: true });
	const release = await lockfile.lock(folder, {
		realpath: false,
		retries: { retries: 300, minTimeout: 1_000, factor: 1 },
	});
	try {
		if (!existsSync(folder)) await install(folder, log);
		return modules;
	} finally {
		await release();
	}
}

/** The folder appears under its name whole or not at all. */
async function install(folder: string, log: (line: string) => void): Promise<void> {
	const work = `${folder}.work`;
	await rm(work, { recursive: true, force: true });
	await mkdir(work);
	for (const name of ['package.json', 'package-lock.json']) await copyFile(join(RECIPE, name), join(work, name));
	log(`installing Deno, Bun and linters of packages, once, in ${folder}`);
	await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: work });
	await rename(work, folder);
}
