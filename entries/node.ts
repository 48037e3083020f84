/**
 * `import … from 'aiortc-shim'`: the classes of WebRTC for Node, Deno and Bun, without touching the globals.
 * Their worker starts at the first use, beside this process, unless AIORTC_SHIM_URL names a bridge.
 */

import '../bridge/requireNode.ts';
import { clearInterval, setInterval } from 'node:timers';
import { type ClientOptions, WebSocket } from 'ws';
import { MAX_FRAME } from '../shim/link/frames.ts';
import type { Socket } from '../shim/link/Socket.ts';
import type { Endpoint, KeepAlive, SessionOptions } from '../shim/rpc/Session.ts';
import { namedBridge } from './endpoint.ts';
import { Sessions } from './sessions.ts';
import { bindShim, defaultShim, type Shim } from './shim.ts';
import { VERSION } from './version.ts';

export * from '../shim/api/index.ts';
export * from '../shim/media/index.ts';
export { installGlobals } from './installGlobals.ts';
export type { Shim } from './shim.ts';

export interface ShimOptions {
	/** The bridge: `ws://host:port` or `wss://…`; AIORTC_SHIM_URL unless given, else the embedded one. */
	readonly url?: string;
	/** AIORTC_SHIM_TOKEN unless given. */
	readonly token?: string;
	/**
	 * Sessions over which connections are spread, each in a worker of its own if the bridge has as many;
	 * AIORTC_SHIM_WORKERS unless given, else 1. A connection goes to the session that has least to do; everything else that
	 * is made with the shim serves connections of all of them. A lost session takes its own connections along.
	 */
	readonly sessions?: number;
	/** Takes a line for each frame; AIORTC_SHIM_DEBUG writes them to stderr. */
	readonly debug?: (line: string) => void;
}

/** A shim of its own: its classes, its devices, its sessions. */
export function createShim(options: ShimOptions = {}): Shim {
	return bindShim(openSessions(options));
}

/** Those that may have a session; told goodbye at the end, since a bridge keeps the session of who just vanishes. */
const opened = new Set<WeakRef<Sessions>>();
process.once('exit', () => void sayGoodbye());
// A program that just comes to its end has the time to wait for the answer: what the bridge was writing in that moment
// would meet a socket that is gone, and the goodbye before it would not be read.
process.on('beforeExit', () => {
	if (![...opened].some((each) => each.deref()?.isOpen)) return;
	const held = setInterval(() => {}, 2 ** 30);
	void sayGoodbye().finally(() => clearInterval(held));
});

async function sayGoodbye(): Promise<void> {
	await Promise.all([...opened].map((each) => each.deref()?.close()));
}

const sessions = openSessions({});

/** The shim whose classes this module exports. */
export const shim: Shim = defaultShim(sessions);

export const { mediaDevices } = shim;

/** Connects ahead of the first use. */
export function warmUp(): void {
	sessions.session();
}

function openSessions(options: ShimOptions): Sessions {
	const { env } = process;
	const count = options.sessions ?? Number(env.AIORTC_SHIM_WORKERS || 1);
	if (!Number.isInteger(count) || count < 1) throw new RangeError(`AIORTC_SHIM_WORKERS is ${count}; a count is needed`);
	const debug = options.debug ?? (env.AIORTC_SHIM_DEBUG ? (line: string) => console.error(line) : undefined);
	const connect = () => findBridge(options, count);
	const sessionOptions: SessionOptions = { connect, openSocket, client: client(), keepAlive: keepAlive(), debug };
	const sessions = new Sessions(sessionOptions, count);
	opened.add(new WeakRef(sessions));
	return sessions;
}

async function findBridge({ url = process.env.AIORTC_SHIM_URL, token }: ShimOptions, count: number): Promise<Endpoint> {
	if (url) return namedBridge(url, token ?? process.env.AIORTC_SHIM_TOKEN);
	const { startEmbedded } = await import('../bridge/embedded.ts');
	return startEmbedded(count);
}

/**
 * `ws` in every runtime: Node's own WebSocket cannot be unref'ed, and Deno's delays small frames by 40 ms.
 * The socket keeps nothing alive, since that is for the session to say.
 */
function openSocket(url: string, protocol: string): Socket {
	const options: ClientOptions & { closeTimeout: number } = {
		perMessageDeflate: false,
		maxPayload: 2 * MAX_FRAME,
		closeTimeout: 1_000,
		// A mask keeps scripts of pages from writing what a proxy would misread (RFC 6455, section 10.3): not our case
		// on loopback, where it would cost two passes over each byte. `ws` skips a mask of zeros.
		...(isLoopback(url) && { generateMask: (mask: Buffer) => void mask.fill(0) }),
		finishRequest: (request) => {
			request.on('socket', (socket) => socket.unref());
			request.end();
		},
	};
	return new WebSocket(url, protocol, options) as Socket;
}

function isLoopback(url: string): boolean {
	return ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(url).hostname);
}

/** A timer stands for the reasons of the sessions that share it: one handle, in whatever state their sockets are. */
function keepAlive(): KeepAlive {
	const timer = setInterval(() => {}, 2 ** 30).unref();
	let holding = 0;
	return {
		ref: () => void (++holding === 1 && timer.ref()),
		unref: () => void (--holding === 0 && timer.unref()),
	};
}

function client(): string {
	const { bun, deno, node } = process.versions as Record<string, string | undefined>;
	return `aiortc-shim/${VERSION} ${bun ? `bun/${bun}` : deno ? `deno/${deno}` : `node/${node}`}`;
}
