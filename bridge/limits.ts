/** What a token may do, and how much of it. */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { MAX_FRAME } from '../shim/link/frames.ts';
import type { Capability } from '../shim/link/hello.ts';

/**
 * What a session may reach beyond the network's peers; the worker refuses the rest with NotAllowedError, and ICE servers
 * with `icecandidateerror`. `private` lets TURN over TCP and TLS connect to private addresses, loopback among them.
 */
export const CAPABILITIES: readonly Capability[] = ['file', 'url', 'device', 'record', 'ice', 'private'];

/**
 * Limits of a token. Each is checked where it takes effect. Beyond those up to `message` a session ends with 4003, or is
 * refused; those after are a session's quotas in the worker, beyond which what it asks for is refused with an error that
 * names the quota, or done later.
 */
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
	/** Threads that a session may occupy at once for each of DNS, files, test pictures and codecs; what is beyond waits. */
	readonly blocking: number;
	/** Pixels a second that it decodes, of peers' tracks and of files; beyond, it decodes later, and leaves pictures out. */
	readonly decodedPixels: number;
	/** Pixels a second that it encodes, each layer by itself; beyond, pictures are dropped. */
	readonly encodedPixels: number;
	/** Pixels a second of test pictures; beyond, there are fewer. */
	readonly generatedPixels: number;
	/** Bytes of frames that wait in the worker, and of test pictures; beyond, frames are dropped or refused. */
	readonly heldBytes: number;
	/** Sources: what getUserMedia opened, and generators. */
	readonly sources: number;
	/** Tracks that are read by processors at once. */
	readonly readers: number;
	/** Files, URLs and devices that are open at once, among the sources. */
	readonly files: number;
	/** Seconds that opening a URL, or reading what is played next, may take in all. */
	readonly urlSeconds: number;
	/** Channels that the peer of a connection may have open; beyond, its channel is closed at once. */
	readonly peerChannels: number;
}

export const DEFAULT_LIMITS: Limits = {
	sessions: 64,
	framesPerSecond: 20_000,
	frame: MAX_FRAME,
	objects: 4096,
	pendingCalls: 1024,
	message: 64 * 1024 * 1024,
	blocking: 4,
	decodedPixels: 2_000_000_000,
	encodedPixels: 1_000_000_000,
	generatedPixels: 1_000_000_000,
	heldBytes: 512 * 1024 * 1024,
	sources: 512,
	readers: 512,
	files: 128,
	urlSeconds: 20,
	peerChannels: 1024,
};

/** What is wrong with limits that somebody gave, in a sentence; null when nothing is. */
export function limitsMistake(given: object): string | null {
	for (const [name, value] of Object.entries(given)) {
		if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
			return `${name} is no limit; there are ${Object.keys(DEFAULT_LIMITS).join(', ')}`;
		}
		if (!Number.isSafeInteger(value) || value < 1) return `${name} is ${value}; a whole number from 1 on is needed`;
	}
	return null;
}

/**
 * Limits from texts such as `sources=1000`.
 *
 * @throws {RangeError} what is wrong with one
 */
export function parseLimits(texts: readonly string[]): Partial<Limits> {
	const given = Object.fromEntries(
		texts.map((text): [string, unknown] => {
			const [name = '', value = ''] = text.split('=');
			return [name, /^\d+$/.test(value) ? Number(value) : value || 'nothing'];
		}),
	);
	const mistake = limitsMistake(given);
	if (mistake) throw new RangeError(mistake);
	return given as Partial<Limits>;
}

/** What an error beyond a limit says for whoever runs the bridge; short, since it travels as a WebSocket's reason. */
export function toRaise(name: keyof Limits): string {
	return `to raise it: --limit ${name}=NUMBER of the bridge`;
}

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
