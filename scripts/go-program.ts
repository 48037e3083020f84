/** Programs in Go that tests need: built on demand into the user's cache. */
import { createHash } from 'node:crypto';
import { existsSync, globSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import envPaths from 'env-paths';
import lockfile from 'proper-lockfile';
import { isExecutable, run, which } from './subprocess.ts';

export interface GoProgram {
	/** Of the folder in the cache, and of the program. */
	readonly name: string;
	/** A module's folder with `go.mod`, `go.sum` and sources; or the path and version of a published command. */
	readonly source: { folder: string } | { command: string };
}

/** Where Go's own archive unpacks. */
const USUAL = '/usr/local/go/bin/go';

/**
 * The program's path.
 *
 * @throws an Error with one line on how to get Go, or with the end of what Go said
 */
export async function ensureGoProgram(
	{ name, source }: GoProgram,
	log: (line: string) => void = console.error,
): Promise<string> {
	const cache = envPaths('aiortc-shim', { suffix: '' }).cache;
	const place = join(cache, `${name}-${await keyOf(source)}`);
	const program = join(place, name);
	if (existsSync(program)) return program;
	const go = (await which('go')) ?? ((await isExecutable(USUAL)) ? USUAL : null);
	if (!go) throw new Error(`${name} needs Go: put go on PATH, or unpack its archive in /usr/local`);
	await mkdir(cache, { recursive: true });
	const release = await lockfile.lock(place, {
		realpath: false,
		retries: { retries: 600, minTimeout: 1_000, factor: 1 },
	});
	try {
		if (existsSync(program)) return program;
		log(`building ${name}, once, in ${place}`);
		// The folder appears under its name whole or not at all.
		const work = `${place}.work`;
		await rm(work, { recursive: true, force: true });
		if ('folder' in source) {
			await run(go, ['build', '-trimpath', '-o', join(work, name), '.'], { cwd: source.folder });
		} else {
			await run(go, ['install', source.command], { env: { ...process.env, GOBIN: work } });
			const [made] = globSync('*', { cwd: work });
			await rename(join(work, made!), join(work, name));
		}
		await rename(work, place);
		return program;
	} finally {
		await release();
	}
}

async function keyOf(source: GoProgram['source']): Promise<string> {
	const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
	if ('command' in source) hash.update(source.command);
	else {
		for (const file of globSync(['go.*', '*.go'], { cwd: source.folder }).sort()) {
			hash.update(await readFile(join(source.folder, file)));
		}
	}
	return hash.digest('hex').slice(0, 16);
}
