/** The bridge: a WebSocket server in front of a pool of Python workers. */

import type { Access, Capability, Limits } from './limits.ts';

/** Which sessions may share a worker process (and so its GIL and its libav). */
export type Isolation = 'session' | 'token' | 'shared';

export interface BridgeOptions {
	/** Loopback unless given. */
	readonly host?: string;
	/** 0 (the default) takes a free one. */
	readonly port?: number;
	/** One token with `capabilities`; generated when neither this nor `access` is given. */
	readonly token?: string;
	readonly capabilities?: readonly Capability[];
	/** Several tokens, each with its own capabilities and limits. */
	readonly access?: readonly Access[];
	/** Limits of `token`, where they differ from the defaults. */
	readonly limits?: Partial<Limits>;
	/** `shared` on loopback, `token` beyond it, unless given. */
	readonly isolation?: Isolation;
	/** Workers at most; as many as there are cores unless given. */
	readonly workers?: number;
	/** Idle workers kept ready; 1 unless given. */
	readonly spares?: number;
	/** Origins (`https://example.org`) whose pages may connect, beside loopback's; `*` for any. */
	readonly origins?: readonly string[];
	/** Names that a Host header may bear beside loopback's and `host`. */
	readonly announce?: readonly string[];
	/** Seconds that a session outlives its socket; 30 unless given. */
	readonly graceSeconds?: number;
	/** The interpreter; the managed environment's unless given. */
	readonly python?: string;
	/** Neither sockets nor workers keep the process alive. */
	readonly unref?: boolean;
}

export interface Bridge {
	/** `ws://127.0.0.1:41234`, without the token. */
	readonly url: string;
	readonly host: string;
	readonly port: number;
	/** The first token. */
	readonly token: string;
	/** Sessions that exist now. */
	readonly sessions: number;
	/** Closes sessions (4007), workers and the port; leaves no file. */
	close(): Promise<void>;
}

/** Starts listening; the workers start behind it, so that a connection waits for them and not the other way round. */
export async function startBridge(_options: BridgeOptions = {}): Promise<Bridge> {
	throw new Error('not yet');
}
