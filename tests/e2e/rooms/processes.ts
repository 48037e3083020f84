/** What processes use, by /proc. */
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_A_SECOND = 100;
const PAGE = 4096;

/** The Python worker that a process has started. */
export function workerOf(parent: number): number {
	const found = readdirSync('/proc').find((name) => {
		return /^\d+$/.test(name) && fieldsOf(Number(name))?.[1] === `${parent}` && isWorker(Number(name));
	});
	if (!found) throw new Error(`process ${parent} has no worker`);
	return Number(found);
}

/** Resident bytes, and seconds of CPU used so far. */
export function usageOf(pid: number): { bytes: number; cpu: number } {
	const fields = fieldsOf(pid);
	if (!fields) throw new Error(`there is no process ${pid}`);
	// utime, stime and rss: fields 14, 15 and 24 of proc(5), the first two of which are cut off.
	return { bytes: Number(fields[21]) * PAGE, cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND };
}

/** The fields of /proc/PID/stat after the command's name, the state first; null when it is gone. */
function fieldsOf(pid: number): string[] | null {
	try {
		return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
	} catch {
		return null;
	}
}

function isWorker(pid: number): boolean {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('aiortc_worker');
	} catch {
		return false;
	}
}
