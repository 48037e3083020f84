/** Packages that tests or the bench need and `npm ci` need not bring: fetched on demand into the user's cache. */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import envPaths from 'env-paths';
import lockfile from 'proper-lockfile';
import { run } from './subprocess.ts';

export interface Recipe {
	/** Where its `package.json` and `package-lock.json` are. */
	readonly folder: string;
	/** Of the folder in the cache. */
	readonly name: string;
	/** For the line that says what is being fetched. */
	readonly what: string;
	/** Does in the new folder what the packages' own install scripts, which are not run, would do. */
	readonly finish?: (folder: string) => Promise<void>;
}

/**
 * The `node_modules` with the packages, as the recipe's lock has them.
 *
 * @throws an Error with the end of what npm said, when they cannot be had
 */
export async function ensureRecipe(recipe: Recipe, log: (line: string) => void = console.error): Promise<string> {
	const lock = await readFile(join(recipe.folder, 'package-lock.json'));
	const key = createHash('sha256').update(lock).update(`${process.platform} ${process.arch}`).digest('hex');
	const cache = envPaths('aiortc-shim', { suffix: '' }).cache;
	const place = join(cache, `${recipe.name}-${key.slice(0, 16)}`);
	await mkdir(cache, { recursive: true });
	const release = await lockfile.lock(place, {
		realpath: false,
		retries: { retries: 300, minTimeout: 1_000, factor: 1 },
	});
	try {
		if (!existsSync(place)) await install(recipe, place, log);
		return join(place, 'node_modules');
	} finally {
		await release();
	}
}

/** The folder appears under its name whole or not at all. */
async function install({ folder, what, finish }: Recipe, place: string, log: (line: string) => void): Promise<void> {
	const work = `${place}.work`;
	await rm(work, { recursive: true, force: true });
	await mkdir(work);
	for (const name of ['package.json', 'package-lock.json']) await copyFile(join(folder, name), join(work, name));
	log(`installing ${what}, once, in ${place}`);
	await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: work });
	await finish?.(work);
	await rename(work, place);
}
