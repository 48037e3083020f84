/** The bridge that lives in the application's own process: on its event loop, unseen by it, and reached by nobody else. */

import { availableParallelism } from 'node:os';
import type { Endpoint } from '../shim/link/options.ts';
import type { Socket } from '../shim/link/Socket.ts';
import { type Backend, startBackend } from './backend.ts';
import { CAPABILITIES, DEFAULT_LIMITS, generateToken } from './limits.ts';
import { memorySocketPair } from './memorySocket.ts';

/** A worker may have to start for a session; if it does not, the bridge says so earlier. */
const ANSWER_SECONDS = 60;

interface Embedded extends Endpoint {
	readonly backend: Backend;
	close(): Promise<void>;
}

let embedded: Promise<Embedded> | null = null;

/**
 * The process's one embedded bridge, started at the first call; a failed start is tried again at the next.
 * It keeps nothing alive: a session that has a reason to does that.
 *
 * @param workers it may have so many, and one for each core in any case
 * @throws {SetupError | WorkerStartError} why there is no worker, in a sentence that says what to do
 */
export async function startEmbedded(workers = 1): Promise<Endpoint> {
	embedded ??= start().catch((error) => {
		embedded = null;
		throw error;
	});
	const { backend, ...endpoint } = await embedded;
	backend.allowWorkers(workers);
	return endpoint;
}

/** Ends the embedded bridge, if there is one, and waits until its workers are gone. */
export async function stopEmbedded(): Promise<void> {
	const ending = embedded;
	embedded = null;
	await (await ending?.catch(() => null))?.close();
}

async function start(): Promise<Embedded> {
	const token = generateToken();
	const backend = startBackend({
		unref: true,
		access: [{ token, capabilities: CAPABILITIES, limits: { ...DEFAULT_LIMITS, sessions: 1024 } }],
		// Its sessions are one application's: the first worker is started ahead, another when a session needs it.
		isolation: 'shared',
		shared: false,
		workers: availableParallelism(),
		spares: 0,
	});
	try {
		await backend.ready;
	} catch (error) {
		await backend.close();
		throw error;
	}
	const close = (): Promise<void> => backend.close();
	const openSocket = () => open(backend);
	return { url: 'the embedded bridge', token, backend, openSocket, answerSeconds: ANSWER_SECONDS, close };
}

function open({ sessions }: Backend): Socket {
	const { shim, bridge } = memorySocketPair();
	void sessions.welcome(bridge);
	return shim;
}
