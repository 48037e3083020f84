/** What processes have used, by /proc (Linux). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How a process is started. */
export interface Program {
	command: string;
	args: string[];
}

const TICKS_PER_SECOND = 100;
const PAGE = 4096;

/** CPU seconds that a process and its descendants have used so far. */
export function cpuSecondsOf(root: number): number {
	const ticks = processesOf(root).map((fields) => Number(fields[11]) + Number(fields[12]));
	return ticks.reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND;
}

/** The most bytes that a process or one of its descendants has in memory now. */
export function memoryOf(root: number): number {
	return Math.max(0, ...processesOf(root).map((fields) => Number(fields[21]) * PAGE));
}

/** What /proc/PID/stat has behind the name, of a process and its descendants. */
function processesOf(root: number): string[][] {
	const all = new Map<number, string[]>();
	for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
		const fields = fieldsOf(name);
		if (fields) all.set(Number(name), fields);
	}
	const found = new Set([root]);
	// A parent may have a larger number than its child, so once is not enough.
	for (let before = 0; before < found.size; ) {
		before = found.size;
		for (const [pid, fields] of all) if (found.has(Number(fields[1]))) found.add(pid);
	}
	return [...found].flatMap((pid) => (all.has(pid) ? [all.get(pid)!] : []));
}

/** Null when the process has ended meanwhile. */
function fieldsOf(pid: string): string[] | null {
	try {
		return readFileSync(join('/proc', pid, 'stat'), 'utf8')
			.split(') ')
			.at(-1)!
			.split(' ');
	} catch {
		return null;
	}
}
