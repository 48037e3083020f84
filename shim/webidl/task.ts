interface TaskScheduler {
	postTask(work: () => void): Promise<void>;
}

/**
 * Runs `work` in a task of its own, after the microtasks that are pending, in the order of the calls.
 * Timers would be clamped, MessageChannel keeps Node alive and comes after a timer of 0 ms in Chromium, so each is used
 * where it fits.
 */
export const queueTask: (work: () => void) => void = chooseQueue();

/** Resolves in a task of its own. */
export function nextTask(): Promise<void> {
	return new Promise((resolve) => queueTask(resolve));
}

function chooseQueue(): (work: () => void) => void {
	if (typeof setImmediate === 'function') return (work) => void setImmediate(work);
	const { scheduler } = globalThis as { scheduler?: TaskScheduler };
	if (scheduler?.postTask) return (work) => void scheduler.postTask(work).catch(reportError);
	return throughMessageChannel();
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
