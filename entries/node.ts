/**
 * `import … from 'aiortc-shim'`: the classes of WebRTC for Node, Deno and Bun, without touching the globals.
 * Their worker starts at the first use, beside this process, unless AIORTC_SHIM_URL names a bridge.
 */

import '../bridge/requireNode.ts';
import { clearInterval, setInterval } from 'node:timers';
import { stderrLog } from '../bridge/log/stderr.ts';
import { openSocket } from '../bridge/openSocket.ts';
import type { Log } from '../shim/link/log.ts';
import { namedBridge } from '../shim/link/namedBridge.ts';
import type { Endpoint, KeepAlive } from '../shim/rpc/Session.ts';
import { EmbeddedUse } from './EmbeddedUse.ts';
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
	/** Takes warnings, and what the embedded bridge and its worker say; stderr unless given. */
	readonly log?: Log;
}

/** A shim of its own: its classes, its devices, its sessions. */
export function createShim(options: ShimOptions = {}): Shim {
	return bindShim(openSessions(options));
}

/** Shims that have a session; told goodbye at the end, since a bridge keeps the session of who just vanishes. */
const live = new Set<Sessions>();
process.once('exit', () => void sayGoodbye());
// A program that just comes to its end has the time to wait for the answer: what the bridge was writing in that moment
// would meet a socket that is gone, and the goodbye before it would not be read.
process.on('beforeExit', () => {
	if (live.size === 0) return;
	const held = setInterval(() => {}, 2 ** 30);
	void sayGoodbye().finally(() => clearInterval(held));
});

async function sayGoodbye(): Promise<void> {
	await Promise.all([...live].map((each) => each.end()));
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
	if (!Number.isInteger(count) || count < 1) {
		const given =
			options.sessions === undefined ? `AIORTC_SHIM_WORKERS=${env.AIORTC_SHIM_WORKERS}` : `sessions: ${count}`;
		throw new RangeError(`${given}: an integer of 1 or more is needed`);
	}
	const debug = options.debug ?? (env.AIORTC_SHIM_DEBUG ? (line: string) => console.error(line) : undefined);
	const { log = stderrLog } = options;
	const bridge = new EmbeddedUse(log, count);
	return new Sessions(
		{
			connect: () => named(options) ?? bridge.connect(),
			release: () => bridge.release(),
			openSocket,
			client: client(),
			keepAlive: keepAlive(),
			debug,
			log,
			live,
		},
		count,
	);
}

/** The bridge that a program or its environment names, if any. */
function named({ url, token }: ShimOptions): Endpoint | null {
	const { AIORTC_SHIM_URL, AIORTC_SHIM_TOKEN } = process.env;
	const place = url ?? AIORTC_SHIM_URL;
	if (!place) return null;
	const advice = `start one with npx aiortc-shim bridge${url ? '' : ', or unset AIORTC_SHIM_URL'}`;
	return namedBridge(place, token ?? AIORTC_SHIM_TOKEN, advice);
}

/** A timer stands for the reasons of the sessions that share it, in whatever state their sockets are. */
function keepAlive(): KeepAlive {
	let reasons = 0;
	let timer: NodeJS.Timeout | undefined;
	return {
		ref() {
			if (++reasons === 1) timer = setInterval(() => {}, 2 ** 30);
		},
		unref() {
			if (--reasons === 0) clearInterval(timer);
		},
	};
}

function client(): string {
	const { bun, deno, node } = process.versions as Record<string, string | undefined>;
	return `aiortc-shim/${VERSION} ${bun ? `bun/${bun}` : deno ? `deno/${deno}` : `node/${node}`}`;
}
