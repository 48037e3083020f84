/** The bridge that lives in the application's own process: on its event loop, unseen by it, and reached by nobody else. */

import { availableParallelism } from 'node:os';
import type { Log } from '../shim/link/log.ts';
import type { Endpoint } from '../shim/link/options.ts';
import type { Socket } from '../shim/link/Socket.ts';
import { type Backend, startBackend } from './backend.ts';
import { CAPABILITIES, DEFAULT_LIMITS, generateToken, type Limits, parseLimits } from './limits.ts';
import { stderrLog } from './log/stderr.ts';
import { memorySocketPair } from './memorySocket.ts';

/** A worker may have to start for a session; if it does not, the bridge says so earlier. */
const ANSWER_SECONDS = 60;

interface Embedded {
	readonly backend: Backend;
	readonly endpoint: Promise<Endpoint>;
}

let embedded: Embedded | null = null;

/** Who uses it, each with what takes its log: the bridge's lines are for all of them. */
const users = new Map<object, Log>();
/** Who gives no user of its own; stopEmbedded() alone ends its use. */
const anyone = {};

/**
 * The process's one embedded bridge, started at the first call; a failed start is tried again at the next.
 * It keeps nothing alive: a session that has a reason to does that.
 *
 * @param workers it may have so many, and one for each core in any case
 * @throws {RangeError} AIORTC_SHIM_LIMITS names no limit
 * @throws {SetupError | WorkerStartError} why there is no worker, in a sentence that says what to do
 */
export function startEmbedded(user: object = anyone, log: Log = stderrLog, workers = 1): Promise<Endpoint> {
	users.set(user, log);
	embedded ??= start();
	embedded.backend.allowWorkers(workers);
	return embedded.endpoint;
}

/** Ends `user`'s use. With the last one's the bridge ends, and its workers are gone when this resolves. */
export async function leaveEmbedded(user: object): Promise<void> {
	users.delete(user);
	if (users.size === 0) await stopEmbedded();
}

/** Ends the embedded bridge, if there is one, whoever uses it, and waits until its workers are gone. */
export async function stopEmbedded(): Promise<void> {
	users.delete(anyone);
	const ending = embedded;
	embedded = null;
	await ending?.backend.close();
}

function start(): Embedded {
	const token = generateToken();
	const backend = startBackend({
		unref: true,
		access: [{ token, capabilities: CAPABILITIES, limits: embeddedLimits() }],
		// Its sessions are one application's: the first worker is started ahead, another when a session needs it.
		isolation: 'shared',
		shared: false,
		workers: availableParallelism(),
		spares: 0,
		// Shims that share a sink hear each line once.
		log: (record) => {
			for (const log of new Set(users.values())) log(record);
		},
	});
	const endpoint = backend.ready.then(
		(): Endpoint => {
			const openSocket = () => open(backend);
			return { url: 'the embedded bridge', token, openSocket, answerSeconds: ANSWER_SECONDS };
		},
		async (error: Error) => {
			if (embedded?.backend === backend) embedded = null;
			await backend.close();
			throw error;
		},
	);
	// Whoever asked for it hears of a failure, unless it went away meanwhile.
	endpoint.catch(() => {});
	return { backend, endpoint };
}

/** What the application's environment has of them: `AIORTC_SHIM_LIMITS=sources=1000,readers=1000`. */
function embeddedLimits(): Limits {
	const given = process.env.AIORTC_SHIM_LIMITS?.split(',') ?? [];
	try {
		return { ...DEFAULT_LIMITS, sessions: 1024, ...parseLimits(given.filter(Boolean)) };
	} catch (error) {
		throw new RangeError(`AIORTC_SHIM_LIMITS: ${(error as Error).message}`);
	}
}

function open({ sessions }: Backend): Socket {
	const { shim, bridge } = memorySocketPair();
	void sessions.welcome(bridge);
	return shim;
}
