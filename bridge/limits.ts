/** What a token may do, and how much of it. */

/** What a session may reach beyond the network's peers; the worker refuses the rest with NotAllowedError. */
export const CAPABILITIES = ['file', 'url', 'device', 'record', 'ice'] as const;
export type Capability = (typeof CAPABILITIES)[number];

/** Limits of a token. Each is checked where it takes effect; exceeding one closes the session with 4003. */
export interface Limits {
	/** Sessions that exist at once, those waiting for a resume included. */
	readonly sessions: number;
	/** Bytes in one WebSocket frame from the shim. */
	readonly frameBytes: number;
	/** Frames a second from the shim, averaged; a burst of two seconds' worth passes. */
	readonly framesPerSecond: number;
	/** Remote objects alive in one session; the worker counts. */
	readonly objects: number;
}

export const DEFAULT_LIMITS: Limits = { sessions: 64, frameBytes: 4 << 20, framesPerSecond: 20_000, objects: 4096 };

/** A token, and what its bearer may do. */
export interface Access {
	readonly token: string;
	readonly capabilities: readonly Capability[];
	readonly limits: Limits;
}
