/** Removes what bridges left behind that were killed together with their workers. */

import { readdir, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { FOLDER_PREFIX, SOCKET_NAME, socketRoot } from './worker.ts';

const NAME = new RegExp(`^${FOLDER_PREFIX}(\\d+)-`);
/** A folder without a socket may be that of a worker that is starting. */
const YOUNG_MS = 60_000;

/** Never rejects: what cannot be removed is left for another time. */
export async function sweepStaleFolders(): Promise<void> {
	const root = socketRoot();
	for (const name of await readdir(root).catch(() => [])) {
		const pid = NAME.exec(name)?.[1];
		if (!pid || isRunning(Number(pid))) continue;
		const folder = join(root, name);
		if (await isStale(folder)) await rm(folder, { recursive: true, force: true }).catch(() => {});
	}
}

function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code !== 'ESRCH';
	}
}

/** A process id alone does not tell: containers that share /tmp number their processes each for itself. */
async function isStale(folder: string): Promise<boolean> {
	const found = await stat(folder).catch(() => null);
	if (!found || found.uid !== process.getuid?.()) return false;
	const error = await tryConnect(join(folder, SOCKET_NAME));
	if (error === 'ENOENT') return Date.now() - found.mtimeMs > YOUNG_MS;
	return error === 'ECONNREFUSED';
}

/** The code of the error, or null when somebody listens. */
function tryConnect(path: string): Promise<string | null> {
	return new Promise((resolve) => {
		const socket = connect({ path });
		socket.unref();
		socket.once('connect', () => {
			socket.destroy();
			resolve(null);
		});
		socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
	});
}
