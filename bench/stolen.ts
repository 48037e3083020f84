import { readFileSync } from 'node:fs';
import { platform } from 'node:os';

/** Of the line of all cores in /proc/stat, what a hypervisor gave to other machines. */
const STEAL = 7;

/** Begins to count. What it returns gives the share of all cores' time since then that was stolen; null but on Linux. */
export function countStolen(): () => number | null {
	const before = ticks();
	return () => {
		const spent = ticks().map((each, index) => each - before[index]!);
		const all = spent.reduce((sum, each) => sum + each, 0);
		return all > 0 ? spent[STEAL]! / all : null;
	};
}

/** Since the machine was started: user, nice, system, idle, iowait, irq, softirq, steal. */
function ticks(): number[] {
	if (platform() !== 'linux') return [];
	const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
	return first
		.split(/\s+/)
		.slice(1, STEAL + 2)
		.map(Number);
}
