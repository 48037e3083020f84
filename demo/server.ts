import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { type Endpoint, type Page, type PageFile, throughBridge } from './page/build.ts';
import { LIMITS } from './sfu/limits.ts';
import { Sfu } from './sfu/Sfu.ts';
import { type DemoServer, serveRooms } from './sfu/socket.ts';

const ADDRESS = '127.0.0.1';

export interface ServeOptions {
	/** The mediasoup-worker binary. */
	workerBin: string;
	/** 0 for any free one. */
	port: number;
	/** What a browser gets; without one the server only signals. */
	page?: Page;
	/** The bridge that the page at /bridge is to use, asked for when somebody goes there. */
	bridge?: () => Promise<Endpoint>;
}

/** The SFU, its signalling and the page, on one loopback port. */
export class Demo {
	static async serve({ workerBin, port, page, bridge }: ServeOptions): Promise<Demo> {
		const sfu = await Sfu.start(workerBin);
		try {
			const http = createServer((request, response) => void answer(request, response, page, bridge));
			const demo = new Demo(sfu, http);
			await listen(http, port);
			return demo;
		} catch (error) {
			await sfu.close();
			throw error;
		}
	}

	readonly sfu: Sfu;
	readonly #http: HttpServer;
	readonly #rooms: DemoServer;

	private constructor(sfu: Sfu, http: HttpServer) {
		this.sfu = sfu;
		this.#http = http;
		this.#rooms = new Server(http, {
			serveClient: false,
			maxHttpBufferSize: LIMITS.requestBytes,
			transports: ['websocket'],
			allowRequest: (request, callback) => callback(null, isHome(request)),
		});
		serveRooms(this.#rooms, sfu);
	}

	/** Where people and bots go. */
	get url(): string {
		return `http://localhost:${(this.#http.address() as AddressInfo).port}`;
	}

	/** Puts everyone out and leaves neither port nor process. */
	async close(): Promise<void> {
		await this.#rooms.close();
		await this.sfu.close();
	}
}

function listen(http: HttpServer, port: number): Promise<void> {
	return new Promise((resolve, reject) => {
		http.once('error', reject);
		http.listen(port, ADDRESS, resolve);
	});
}

/**
 * Whether a request comes from this machine's own page or program. A page elsewhere may resolve its own name to
 * 127.0.0.1 (DNS rebinding), which its Host tells, or connect across origins, which its Origin tells.
 */
export function isHome({ headers, socket }: IncomingMessage): boolean {
	const homes = ['localhost', ADDRESS].map((host) => `${host}:${socket.localPort}`);
	if (!headers.host || !homes.includes(headers.host)) return false;
	return headers.origin === undefined || headers.origin === `http://${headers.host}`;
}

async function answer(
	request: IncomingMessage,
	response: ServerResponse,
	page: Page | undefined,
	bridge: (() => Promise<Endpoint>) | undefined,
): Promise<void> {
	const readable = request.method === 'GET' || request.method === 'HEAD';
	if (!isHome(request) || !readable) return void response.writeHead(readable ? 403 : 405).end();
	const path = request.url?.split('?')[0] ?? '';
	const shows = path === '/bridge' ? '/' : path;
	const file = page?.get(shows);
	if (!file || (path === '/bridge' && !bridge)) return void response.writeHead(404).end();
	if (path !== '/bridge') return send(request, response, file);
	try {
		const endpoint = await bridge!();
		send(request, response, throughBridge(file, endpoint), endpoint.url);
	} catch (error) {
		response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8' });
		response.end(`The bridge did not start: ${error instanceof Error ? error.message : error}\n`);
	}
}

/** @param bridge where the file's scripts may connect beside this server */
function send(request: IncomingMessage, response: ServerResponse, { type, body }: PageFile, bridge = ''): void {
	response.writeHead(200, {
		'content-type': type,
		'content-length': body.byteLength,
		'cache-control': 'no-store',
		'content-security-policy': [
			"default-src 'self'",
			`connect-src 'self' ws://${request.headers.host} ${bridge}`,
			"media-src 'self' mediastream:",
			'img-src data:',
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		].join('; '),
		'x-content-type-options': 'nosniff',
		'referrer-policy': 'no-referrer',
	});
	response.end(request.method === 'HEAD' ? undefined : body);
}
