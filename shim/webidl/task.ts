interface Host {
	setImmediate?: (work: () => void) => unknown;
	scheduler?: { postTask?(work: () => void): Promise<void> };
	MessageChannel: typeof MessageChannel;
	reportError?: (error: unknown) => void;
}

/** Runs `work` in a task of its own, after the microtasks that are pending, in the order of the calls. */
export const queueTask: (work: () => void) => void = taskQueue(globalThis);

/** Resolves in a task of its own. */
export function nextTask(): Promise<void> {
	return new Promise((resolve) => queueTask(resolve));
}

/**
 * The host's way to queue a task. Timers would be clamped; MessageChannel keeps Node alive, and in Chromium its messages
 * come after a timer of 0 ms that is set later.
 */
export function taskQueue(host: Host): (work: () => void) => void {
	const { setImmediate, scheduler } = host;
	if (setImmediate) return (work) => void setImmediate(work);
	if (scheduler?.postTask) return (work) => void scheduler.postTask!(work).catch(host.reportError);
	const { port1, port2 } = new host.MessageChannel();
	const waiting: (() => void)[] = [];
	port1.onmessage = () => waiting.shift()?.();
	return (work) => {
		waiting.push(work);
		port2.postMessage(null);
	};
}
