/** What the workers and sessions of a bridge go by. Apart, since the declarations that an application reads lead here. */

import type { Log, LogLevel } from '../shim/link/log.ts';
import type { Access } from './limits.ts';
import type { Network } from './network.ts';

/** Which sessions may share a worker process, and so its GIL and its libav. */
export type Isolation = 'session' | 'token' | 'shared';

export interface BackendOptions extends Network {
	readonly access: readonly Access[];
	readonly isolation: Isolation;
	/** Workers at most; unless given, one for each core, at least one for each token that shares none, or 64 if sessions share none. */
	readonly workers?: number;
	/** Idle workers kept ready; 1 unless given. */
	readonly spares?: number;
	/** Seconds that a session outlives its socket; 30 unless given. */
	readonly graceSeconds?: number;
	/** Whether it has other users than this process; unless given, it has. */
	readonly shared?: boolean;
	/** The interpreter; the managed environment's unless given. */
	readonly python?: string;
	/** Workers do not keep the process alive. */
	readonly unref?: boolean;
	/** Takes what happens in the bridge and what its workers say; stderr unless given. */
	readonly log?: Log;
	/** The least level that `log` takes; AIORTC_SHIM_LOG_LEVEL unless given, else `info`. */
	readonly logLevel?: LogLevel;
}
