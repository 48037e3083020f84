/** What every bridge has, however shims reach it: workers, and the sessions in them. */

import { availableParallelism } from 'node:os';
import { CloseCode } from '../shim/link/frames.ts';
import type { BackendOptions, Isolation } from './backendOptions.ts';
import { BridgeLog } from './log/BridgeLog.ts';
import { stderrLog } from './log/stderr.ts';
import { Pool } from './pool.ts';
import { Sessions } from './sessions.ts';
import { sweepStaleFolders } from './sweep.ts';

export interface Backend {
	readonly sessions: Sessions;
	readonly log: BridgeLog;
	/** Resolves when a worker is ready; rejects with a sentence that says what to do when none can be. */
	readonly ready: Promise<void>;
	/** Raises the number of workers that there may be at once, if that is less. */
	allowWorkers(count: number): void;
	/** Ends sessions (4007) and workers; leaves no file. */
	close(): Promise<void>;
}

/** The workers start behind it, and connections wait for them. */
export function startBackend(options: BackendOptions): Backend {
	const { access, isolation, unref = false, udpPorts, announce, interfaces } = options;
	const log = new BridgeLog(options.log ?? stderrLog, options.logLevel);
	for (const { token } of access) log.hide(token);
	let isClosing = false;
	const pool = new Pool({
		python: options.python,
		workers: options.workers ?? defaultWorkers(isolation, access.length),
		owners: isolation === 'token' ? access.length : 1,
		spares: options.spares ?? 1,
		unref,
		log,
	});
	const network = { udpPorts, announce, interfaces };
	const sessions = new Sessions({
		access,
		isolation,
		network,
		pool,
		graceSeconds: options.graceSeconds ?? 30,
		shared: options.shared ?? true,
		log,
	});
	void sweepStaleFolders();
	const ready = pool.start();
	// Whoever does not look at it hears of it by the close code of a session.
	ready.catch(({ message }: Error) => isClosing || log.say('worker-failed', message));
	return {
		sessions,
		log,
		ready,
		allowWorkers: (count) => pool.allow(count),
		async close() {
			isClosing = true;
			sessions.endAll(CloseCode.shuttingDown, 'the bridge is shutting down');
			await pool.close();
			log.close();
		},
	};
}

/** One for each core, and at least one for each who shares none. */
function defaultWorkers(isolation: Isolation, tokens: number): number {
	if (isolation === 'session') return 64;
	return Math.max(availableParallelism(), isolation === 'token' ? tokens : 1);
}
