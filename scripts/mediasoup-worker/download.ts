import { chmod, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { run } from '../subprocess.ts';
import { runsHere } from './probe.ts';

const ANSWER_TIMEOUT = 10_000;
const WHOLE_TIMEOUT = 120_000;

/**
 * Fetches the binary that mediasoup publishes with each release, as its npm postinstall would.
 *
 * @returns the binary's path in `work`, or null when there is none for this machine or it cannot be had
 */
export async function download(
	mediasoup: { version: string; repository: string },
	work: string,
	log: (line: string) => void,
): Promise<string | null> {
	const base = process.env.MEDIASOUP_WORKER_PREBUILT_DOWNLOAD_BASE_URL ?? `${mediasoup.repository}/releases/download`;
	const url = `${base}/${mediasoup.version}/${archiveName(mediasoup.version)}`;
	log("fetching mediasoup's prebuilt worker");
	try {
		const archive = path.join(work, 'prebuilt.tgz');
		await save(url, archive);
		await run('tar', ['-xzf', archive, '-C', work, 'mediasoup-worker']);
		const binary = path.join(work, 'mediasoup-worker');
		await chmod(binary, 0o755);
		if (await runsHere(binary)) return binary;
		log('the prebuilt worker does not run on this machine');
	} catch (error) {
		log(`no prebuilt worker: ${reason(error)}`);
	}
	return null;
}

async function save(url: string, file: string): Promise<void> {
	const unanswered = new AbortController();
	const timer = setTimeout(() => unanswered.abort(new Error('no answer')), ANSWER_TIMEOUT);
	try {
		const signal = AbortSignal.any([unanswered.signal, AbortSignal.timeout(WHOLE_TIMEOUT)]);
		const response = await fetch(url, { signal });
		clearTimeout(timer);
		if (!response.ok) throw new Error(`the server answered ${response.status}`);
		await writeFile(file, new Uint8Array(await response.arrayBuffer()));
	} finally {
		clearTimeout(timer);
	}
}

/** As `getWorkerPrebuildTarName` in mediasoup's npm-scripts.mjs has it. */
function archiveName(version: string): string {
	const kernel = os.platform() === 'linux' ? `-kernel${Number.parseInt(os.release(), 10)}` : '';
	return `mediasoup-worker-${version}-${os.platform()}-${os.arch()}${kernel}.tgz`;
}

function reason(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	return error.cause instanceof Error ? error.cause.message : error.message;
}
