/** The bridge: a WebSocket server in front of a pool of Python workers. */

// For programs whose `lib` has no AsyncDisposable: the declarations bring it along.
/// <reference lib="esnext.disposable" preserve="true" />

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ServerOptions, WebSocketServer } from 'ws';
import { asyncDisposable } from '../shim/link/disposable.ts';
import { SUBPROTOCOL } from '../shim/link/frames.ts';
import type { Capability } from '../shim/link/hello.ts';
import { startBackend } from './backend.ts';
import type { BackendOptions, Isolation } from './backendOptions.ts';
import { type Admission, addressOf, admission, checkRequest, checkSubprotocol, type Refusal } from './handshake.ts';
import { type Access, CAPABILITIES, DEFAULT_LIMITS, generateToken, type Limits, limitsMistake } from './limits.ts';
import { checkNetwork } from './network.ts';
import { remoteAddress } from './remoteAddress.ts';

export type { Isolation } from './backendOptions.ts';

export interface BridgeOptions extends Partial<BackendOptions> {
	/** Loopback unless given. */
	readonly host?: string;
	/** 0 (the default) takes a free one. */
	readonly port?: number;
	/** One token with `capabilities` and `limits`; generated when neither this nor `access` is given. */
	readonly token?: string;
	/** All of them unless given. */
	readonly capabilities?: readonly Capability[];
	/** What differs from DEFAULT_LIMITS. */
	readonly limits?: Partial<Limits>;
	/** Several tokens, each with its own capabilities and limits. */
	readonly access?: readonly Access[];
	/** `shared` on loopback, `token` beyond it, unless given. */
	readonly isolation?: Isolation;
	/** Origins (`https://example.org`) whose pages may connect beside loopback's; `*` for any. */
	readonly origins?: readonly string[];
	/** Names under which clients reach it, which a Host header may bear beside loopback's and `host`. */
	readonly names?: readonly string[];
	/** Neither sockets nor workers keep the process alive. */
	readonly unref?: boolean;
}

export interface Bridge extends AsyncDisposable {
	/** `ws://127.0.0.1:41234`, without the token; where it listens at all addresses, with the first name or announced one. */
	readonly url: string;
	readonly port: number;
	/** The first token. */
	readonly token: string;
	/** Resolves when a worker is ready; rejects with a sentence that says what to do when none can be. */
	readonly ready: Promise<void>;
	/** Sessions that exist now. */
	readonly sessions: number;
	/** Closes sessions (4007), workers and the port; leaves no file. `await using` does so, too. */
	close(): Promise<void>;
}

/** For the headers of a request, and for all of it. */
const REQUEST_MS = 5_000;
/** For the answer to a close frame, before the socket is destroyed. */
const ANSWER_MS = 5_000;
/** The same for all of them, when the bridge is closed. */
const CLOSE_MS = 1_000;

/**
 * Starts listening; the workers start behind it, and connections wait for them.
 *
 * @throws {Error} the port cannot be listened on, or a token is too short for a host beyond loopback
 * @throws {RangeError} ports, an address or an interface that cannot be used, or a limit that is none
 */
export async function startBridge(options: BridgeOptions = {}): Promise<Bridge> {
	const { host = '127.0.0.1', names = [], announce = [], unref = false } = options;
	checkNetwork(options);
	const mistake = limitsMistake(options.limits ?? {});
	if (mistake) throw new RangeError(`limits: ${mistake}`);
	const access = options.access ?? [singleAccess(options)];
	const isLoopback = ['127.0.0.1', '::1', 'localhost'].includes(host);
	refuseShortTokens(access, isLoopback);
	const isolation = options.isolation ?? (isLoopback ? 'shared' : 'token');
	const backend = startBackend({ ...options, access, isolation });
	const { sessions, log } = backend;
	const gate = admission([host, ...names, ...announce], options.origins ?? []);
	// Node looks every 30 s, unless told otherwise, for those that are late.
	const timeouts = { headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: 1_000 };
	const http = createServer(timeouts, (request, response) => answer(request, response, gate));
	const socketOptions: ServerOptions & { closeTimeout: number } = {
		noServer: true,
		perMessageDeflate: false,
		closeTimeout: ANSWER_MS,
		// A little above, so that a session hears by its own code of a frame that is a little too large.
		maxPayload: 2 * Math.max(...access.map(({ limits }) => limits.frame)),
		handleProtocols: () => SUBPROTOCOL,
	};
	const sockets = new WebSocketServer(socketOptions);
	http.on('upgrade', (request, socket, head) => {
		const refusal = checkRequest(request, gate) ?? checkSubprotocol(request);
		if (refusal) {
			refuse(socket, refusal);
			const { status, message } = refusal;
			log.say('refused', `refused with ${status}: ${message}`, { address: addressOf(request.socket) });
			return;
		}
		const stranger = sessions.strangers.of(socket);
		sockets.handleUpgrade(request, socket, head, (webSocket) => void sessions.welcome(webSocket, stranger));
	});
	http.on('connection', (socket) => {
		if (unref) socket.unref();
		sessions.strangers.add(socket, remoteAddress(socket.remoteAddress));
	});
	try {
		await listen(http, options.port ?? 0, host);
	} catch (error) {
		await backend.close();
		throw error;
	}
	if (unref) http.unref();

	const { port } = http.address() as AddressInfo;
	const close = async () => {
		await Promise.all([closeServer(http, sockets), backend.close()]);
	};
	return {
		...asyncDisposable(close),
		url: `ws://${urlHost(host, [...names, ...announce])}:${port}`,
		port,
		token: access[0]!.token,
		ready: backend.ready,
		get sessions() {
			return sessions.size;
		},
		close,
	};
}

function singleAccess({ token, capabilities, limits }: BridgeOptions): Access {
	return {
		token: token ?? generateToken(),
		capabilities: capabilities ?? CAPABILITIES,
		limits: { ...DEFAULT_LIMITS, ...limits },
	};
}

function refuseShortTokens(access: readonly Access[], isLoopback: boolean): void {
	if (!access.every(({ token }) => token)) throw new Error('a token is empty: leave it out to have one generated');
	if (isLoopback || access.every(({ token }) => token.length >= 16)) return;
	throw new Error('beyond loopback a token needs at least 16 characters: leave it out to have one generated');
}

/** An unauthenticated socket learns that this is a bridge, and nothing else. */
function answer(request: IncomingMessage, response: ServerResponse, gate: Admission): void {
	const refusal = checkRequest(request, gate);
	const [status, text] = refusal
		? [refusal.status, refusal.message]
		: request.url === '/health'
			? [200, 'ok']
			: [426, `This is a bridge of aiortc-shim: connect a WebSocket with the subprotocol ${SUBPROTOCOL}`];
	response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(`${text}\n`);
}

function refuse(socket: Duplex, { status, message }: Refusal): void {
	socket.on('error', () => {});
	// A stranger who does not end its half would keep the socket for ever.
	socket.once('finish', () => socket.destroy());
	const headers = 'Connection: close\r\nContent-Type: text/plain; charset=utf-8';
	socket.end(
		`HTTP/1.1 ${status} Refused\r\n${headers}\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
	);
}

function listen(http: Server, port: number, host: string): Promise<void> {
	return new Promise((resolve, reject) => {
		http.once('error', reject);
		http.listen(port, host, () => {
			http.removeListener('error', reject);
			resolve();
		});
	});
}

/** For a URL that can be opened: an address that stands for all of the machine's own is none. */
function urlHost(host: string, names: readonly string[]): string {
	const reached = host === '0.0.0.0' || host === '::' ? (names[0] ?? 'localhost') : host;
	return isIPv6(reached) ? `[${reached}]` : reached;
}

async function closeServer(http: Server, sockets: WebSocketServer): Promise<void> {
	const closed = new Promise((resolve) => http.close(resolve));
	const timer = setTimeout(() => {
		// Those of now: a request that was under way may have become one.
		for (const client of sockets.clients) client.terminate();
		http.closeAllConnections();
	}, CLOSE_MS);
	http.closeIdleConnections();
	await closed;
	clearTimeout(timer);
}
