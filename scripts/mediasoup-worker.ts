import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import envPaths from 'env-paths';
import lockfile from 'proper-lockfile';
import { build, recipeDigest } from './mediasoup-worker/build.ts';
import { download } from './mediasoup-worker/download.ts';
import { runsHere } from './mediasoup-worker/probe.ts';
import { isExecutable } from './subprocess.ts';

type Log = (line: string) => void;

/**
 * The path of a mediasoup-worker binary that runs here, for `createWorker({ workerBin })`.
 *
 * It is MEDIASOUP_WORKER_BIN; else the one in the user's cache; else mediasoup's own prebuilt one, downloaded; else one
 * built from mediasoup's sources and the distribution's libraries, which takes some minutes. Two callers at once share
 * one download or build.
 *
 * @throws an Error that says in one sentence what to do
 */
export async function ensureMediasoupWorker(log: Log = console.error): Promise<string> {
	const given = process.env.MEDIASOUP_WORKER_BIN;
	if (given) {
		if (await isExecutable(given)) return given;
		throw new Error(`MEDIASOUP_WORKER_BIN names ${given}, which is not an executable file`);
	}
	const mediasoup = await mediasoupPackage();
	const folder = path.join(envPaths('aiortc-shim', { suffix: '' }).cache, 'mediasoup-worker');
	const binary = path.join(folder, await cacheName(mediasoup.version));
	if (await runsHere(binary)) return binary;
	await mkdir(folder, { recursive: true });
	const release = await lock(folder, log);
	try {
		// Another process may have made it while this one waited.
		if (!(await runsHere(binary))) await make(mediasoup, binary, path.join(folder, 'work'), log);
		return binary;
	} finally {
		await release();
	}
}

interface MediasoupPackage {
	root: string;
	version: string;
	repository: string;
}

/** The binary appears under its name whole or not at all; a folder left by a killed attempt is removed first. */
async function make(mediasoup: MediasoupPackage, binary: string, work: string, log: Log): Promise<void> {
	await rm(work, { recursive: true, force: true });
	await mkdir(work, { recursive: true });
	try {
		const made = (await download(mediasoup, work, log)) ?? (await build(mediasoup.root, work, log));
		if (!(await runsHere(made))) throw new Error(`the mediasoup-worker made for this machine does not run on it`);
		await rename(made, binary);
		log(`mediasoup-worker is in ${binary}`);
	} finally {
		await rm(work, { recursive: true, force: true });
	}
}

async function mediasoupPackage(): Promise<MediasoupPackage> {
	// mediasoup exports neither its package.json nor its sources; its main file is two folders below the package.
	const main = createRequire(import.meta.url).resolve('mediasoup');
	const root = path.resolve(path.dirname(main), '../..');
	const { version, repository } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
	return { root, version, repository: repository.url.replace(/^git\+/, '').replace(/\.git$/, '') };
}

/** Named by all that decides what the binary is: mediasoup's version, the machine, and how we build. */
async function cacheName(version: string): Promise<string> {
	return `${version}-${os.platform()}-${os.arch()}-${(await recipeDigest()).slice(0, 8)}`;
}

async function lock(folder: string, log: Log): Promise<() => Promise<void>> {
	const options = { stale: 20_000, update: 5_000 };
	try {
		return await lockfile.lock(folder, options);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
	}
	log('waiting for another process that makes mediasoup-worker');
	return lockfile.lock(folder, { ...options, retries: { retries: 1_800, factor: 1, minTimeout: 1_000 } });
}

if (import.meta.main) console.log(await ensureMediasoupWorker());
