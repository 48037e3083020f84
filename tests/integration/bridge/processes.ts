/** What a test sees of the system's processes and folders. */

import { readdirSync, readFileSync } from 'node:fs';
import { socketRoot } from '../../../bridge/worker.ts';

/** The processes whose parent is `pid`. */
export function childrenOf(pid = process.pid): number[] {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map(Number)
		.filter((each) => parentOf(each) === pid);
}

export function isAlive(pid: number): boolean {
	return parentOf(pid) !== null;
}

/** null when there is none, or only its exit status is left. */
function parentOf(pid: number): number | null {
	try {
		const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
		return state === 'Z' ? null : Number(parent);
	} catch {
		return null;
	}
}

/** Folders of workers' sockets that belong to the bridge in process `pid`. */
export function socketFolders(pid = process.pid): string[] {
	return readdirSync(socketRoot()).filter((name) => name.startsWith(`aiortc-shim-${pid}-`));
}

/** Waits until `condition` holds; whether it did within `ms`. */
export async function within(ms: number, condition: () => boolean): Promise<boolean> {
	for (const start = performance.now(); performance.now() - start < ms; ) {
		if (condition()) return true;
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	return condition();
}
