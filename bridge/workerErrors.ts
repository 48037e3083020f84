/** Apart from the worker, so that the package's declarations of them need none of Node's. */

/** The worker ended before it was ready; the message has its last words. */
export class WorkerStartError extends Error {
	override readonly name = 'WorkerStartError';
}

/** The worker died, perhaps so lately that nobody has noticed yet. */
export class WorkerGoneError extends Error {
	override readonly name = 'WorkerGoneError';
}
