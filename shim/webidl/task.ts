/**
 * Runs `work` in a task of its own, after the microtasks that are pending, in the order of the calls.
 * Timers would be clamped and MessageChannel keeps Node alive, so each is used where it fits.
 */
export const queueTask: (work: () => void) => void =
	typeof setImmediate === 'function' ? (work) => void setImmediate(work) : throughMessageChannel();

/** Resolves in a task of its own. */
export function nextTask(): Promise<void> {
	return new Promise((resolve) => queueTask(resolve));
}

function throughMessageChannel(): (work: () => void) => void {
	const { port1, port2 } = new MessageChannel();
	const waiting: (() => void)[] = [];
	port1.onmessage = () => waiting.shift()?.();
	return (work) => {
		waiting.push(work);
		port2.postMessage(null);
	};
}
