/** The bridge that lives in the application's own process: on its event loop, and unseen by it. */

import { availableParallelism } from 'node:os';
import { type Bridge, startBridge } from './server.ts';

let embedded: Promise<Bridge> | null = null;

/**
 * The process's one embedded bridge, started at the first call; a failed start is tried again at the next.
 * It keeps nothing alive: a session that has a reason to does that.
 *
 * @throws {SetupError | WorkerStartError} why there is no worker, in a sentence that says what to do
 */
export function startEmbedded(): Promise<Bridge> {
	embedded ??= start().catch((error) => {
		embedded = null;
		throw error;
	});
	return embedded;
}

/** Ends the embedded bridge, if there is one, and waits until its workers are gone. */
export async function stopEmbedded(): Promise<void> {
	const ending = embedded;
	embedded = null;
	await (await ending?.catch(() => null))?.close();
}

async function start(): Promise<Bridge> {
	const bridge = await startBridge({
		unref: true,
		// Its sessions are one application's: the first worker is started ahead, another when a session needs it.
		isolation: 'shared',
		workers: Math.max(availableParallelism(), Number(process.env.AIORTC_SHIM_WORKERS) || 0),
		spares: 0,
		limits: { sessions: 1024 },
	});
	try {
		await bridge.ready;
		return bridge;
	} catch (error) {
		await bridge.close();
		throw error;
	}
}
