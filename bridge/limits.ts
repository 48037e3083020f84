/** What a token may do, and how much of it. */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { MAX_FRAME } from '../shim/link/frames.ts';
import type { Capability } from '../shim/link/hello.ts';

/**
 * What a session may reach beyond the network's peers; the worker refuses the rest with NotAllowedError, and ICE servers
 * with `icecandidateerror`. `private` lets TURN over TCP and TLS connect to private addresses, loopback among them.
 */
export const CAPABILITIES: readonly Capability[] = ['file', 'url', 'device', 'record', 'ice', 'private'];

/** Limits of a token. Each is checked where it takes effect; exceeding one ends the session with 4003. */
export interface Limits {
	/** Sessions of the token that exist at once, those waiting for a resume included. */
	readonly sessions: number;
	/** Frames a second from the shim, averaged; two seconds' worth may come at once. */
	readonly framesPerSecond: number;
	/** Bytes of one frame. */
	readonly frame: number;
	/** Objects of a session that are alive. */
	readonly objects: number;
	/** Calls of a session that are under way. */
	readonly pendingCalls: number;
	/** Bytes of a channel message that a peer may send, as descriptions announce. */
	readonly message: number;
	/** Threads that a session may occupy at once for DNS, for files and for codecs. */
	readonly blocking: number;
}

export const DEFAULT_LIMITS: Limits = {
	sessions: 64,
	framesPerSecond: 20_000,
	frame: MAX_FRAME,
	objects: 4096,
	pendingCalls: 1024,
	message: 64 * 1024 * 1024,
	blocking: 4,
};

/** A token, and what its bearer may do. */
export interface Access {
	readonly token: string;
	readonly capabilities: readonly Capability[];
	readonly limits: Limits;
}

/** 256 bits, in characters that a URL, a shell and an attribute leave alone. */
export function generateToken(): string {
	return randomBytes(32).toString('base64url');
}

/** The access that `token` gives, or null; takes as long for a token that is nearly right as for any other. */
export function findAccess(all: readonly Access[], token: string): Access | null {
	const shown = digest(token);
	let found: Access | null = null;
	for (const access of all) {
		if (timingSafeEqual(digest(access.token), shown)) found = access;
	}
	return found;
}

/** Compares secrets in constant time. */
export function isSame(secret: string, shown: string): boolean {
	return timingSafeEqual(digest(secret), digest(shown));
}

function digest(secret: string): Buffer {
	return createHash('sha256').update(secret).digest();
}

/** A bucket that fills at `rate` a second and holds two seconds' worth. */
export class RateLimit {
	readonly #rate: number;
	#level: number;
	#at = performance.now();

	constructor(rate: number) {
		this.#rate = rate;
		this.#level = rate * 2;
	}

	/** Takes one; whether there was one to take. */
	take(): boolean {
		if (this.#level < 1) this.#fill();
		if (this.#level < 1) return false;
		this.#level--;
		return true;
	}

	#fill(): void {
		const now = performance.now();
		this.#level = Math.min(this.#rate * 2, this.#level + ((now - this.#at) / 1000) * this.#rate);
		this.#at = now;
	}
}
