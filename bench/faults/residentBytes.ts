import { readFileSync } from 'node:fs';

/** Bytes of a process that are in memory; 0 when it is gone (Linux). */
export function residentBytes(pid: number): number {
	try {
		const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
		return Number(kilobytes ?? 0) * 1024;
	} catch {
		return 0;
	}
}
