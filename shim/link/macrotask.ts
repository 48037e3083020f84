import { Queue } from './Queue.ts';

/** Runs a function in a macrotask of its own, in order; promise continuations run between two of them. */
export const macrotask: (run: () => void) => void = makeMacrotask();

function makeMacrotask(): (run: () => void) => void {
	const { setImmediate } = globalThis as { setImmediate?: (run: () => void) => unknown };
	if (setImmediate) return setImmediate;
	// A page: setTimeout would wait 4 ms once nested.
	const channel = new MessageChannel();
	const runs = new Queue<() => void>();
	channel.port1.onmessage = () => runs.shift()!();
	return (run) => {
		runs.push(run);
		channel.port2.postMessage(null);
	};
}
