import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import type { Page } from './page/build.ts';
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
}

/** The SFU, its signalling and the page, on one loopback port. */
export class Demo {
	static async serve({ workerBin, port, page }: ServeOptions): Promise<Demo> {
		const sfu = await Sfu.start(workerBin);
		try {
			const http = createServer((request, response) => answer(request, response, page));
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

function answer(request: IncomingMessage, response: ServerResponse, page: Page | undefined): void {
	const file = page?.get(request.url?.split('?')[0] ?? '');
	const readable = request.method === 'GET' || request.method === 'HEAD';
	if (!isHome(request) || !readable || !file) {
		response.writeHead(isHome(request) ? (readable ? 404 : 405) : 403).end();
		return;
	}
	response.writeHead(200, {
		'content-type': file.type,
		'content-length': file.body.byteLength,
		'cache-control': 'no-store',
		'content-security-policy':
			"default-src 'self'; connect-src 'self' ws:; media-src 'self' mediastream:; img-src data:",
		'x-content-type-options': 'nosniff',
	});
	response.end(request.method === 'HEAD' ? undefined : file.body);
}
