/** What is asked of a connection before it may have a session. */

import type { IncomingMessage } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CloseCode, SUBPROTOCOL, VERSION } from '../shim/link/frames.ts';
import type { Hello } from '../shim/link/hello.ts';

export const HELLO_BYTES = 4096;
export const HELLO_MS = 5_000;

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

export interface Admission {
	/** Names that a Host header may bear. */
	readonly hosts: ReadonlySet<string>;
	/** Origins of pages that may connect beside loopback's. */
	readonly origins: ReadonlySet<string>;
}

/** An answer to an HTTP request that is refused. */
export interface Refusal {
	readonly status: number;
	readonly message: string;
}

/** Closes a WebSocket with this code and reason. */
export class HelloError extends Error {
	override readonly name = 'HelloError';
	readonly code: number;

	constructor(code: number, reason: string) {
		super(reason);
		this.code = code;
	}
}

/** @param names those under which the bridge is reached, addresses among them, beside loopback's */
export function admission(names: readonly string[], origins: readonly string[]): Admission {
	const bracketed = names.map((name) => (isIPv6(name) ? `[${name}]` : name));
	return {
		hosts: new Set([...LOOPBACK, ...bracketed].map((name) => name.toLowerCase())),
		origins: new Set(origins.map((origin) => origin.toLowerCase().replace(/\/$/, ''))),
	};
}

/**
 * Host keeps out a page whose name was made to resolve to this machine (DNS rebinding); Origin keeps out other pages.
 * What is no browser sends no Origin.
 */
export function checkRequest(request: IncomingMessage, { hosts, origins }: Admission): Refusal | null {
	const host = nameOf(`http://${request.headers.host ?? ''}`);
	if (!host || !hosts.has(host)) {
		const advice = `start it with --name${host && isPlain(host) ? ` ${host}` : ''}`;
		return { status: 421, message: `The Host ${host ?? ''} is not one of this bridge's: ${advice}` };
	}
	const { origin } = request.headers;
	if (origin === undefined || origins.has('*') || origins.has(origin.toLowerCase())) return null;
	if (LOOPBACK.includes(nameOf(origin) ?? '')) return null;
	const advice = `start the bridge with --origin${isPlain(origin) ? ` ${origin}` : ''}`;
	return { status: 403, message: `Pages of ${origin} may not connect: ${advice}` };
}

/** Whether it may be pasted into a shell: a stranger chose it. */
function isPlain(text: string): boolean {
	return /^[\w.:/[\]-]+$/.test(text);
}

export function checkSubprotocol(request: IncomingMessage): Refusal | null {
	const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
	if (offered.includes(SUBPROTOCOL)) return null;
	return { status: 400, message: `This bridge speaks the WebSocket subprotocol ${SUBPROTOCOL}` };
}

/**
 * The first frame of a shim.
 *
 * @throws {HelloError} it is not a hello, too large, or of another version
 */
export function parseHello(payload: Buffer, binary: boolean): Hello {
	if (payload.length > HELLO_BYTES) {
		throw new HelloError(CloseCode.protocol, `hello has ${payload.length} bytes; ${HELLO_BYTES} are allowed`);
	}
	const hello = binary ? null : read(payload);
	if (!hello) throw new HelloError(CloseCode.protocol, 'the first frame is not a hello');
	if (hello.version !== VERSION) {
		const version = Number.isInteger(hello.version) ? `version ${hello.version}` : 'what it names for a version';
		throw new HelloError(CloseCode.version, `${version} is not spoken here; this is version ${VERSION}`);
	}
	if (typeof hello.token !== 'string') throw new HelloError(CloseCode.token, 'hello has no token');
	return hello as Hello;
}

function read(payload: Buffer): { version?: unknown; token?: unknown; resume?: unknown } | null {
	try {
		const { hello } = JSON.parse(payload.toString());
		return typeof hello === 'object' && isResume(hello?.resume) ? hello : null;
	} catch {
		return null;
	}
}

function isResume(resume: unknown): boolean {
	if (resume === undefined || resume === null) return true;
	const { session, key, received } = resume as Record<string, unknown>;
	return typeof session === 'string' && typeof key === 'string' && Number.isSafeInteger(received);
}

/** Where a connection comes from, for the log. */
export function addressOf(stream: Duplex | undefined): string {
	return (stream as Socket | undefined)?.remoteAddress ?? 'unknown';
}

/** The host of a URL, in lower case and without its port; null when it is no URL. */
function nameOf(url: string): string | null {
	return URL.canParse(url) ? new URL(url).hostname.toLowerCase() || null : null;
}
