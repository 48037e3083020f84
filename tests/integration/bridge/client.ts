/** A shim's end of the wire, as bare as the protocol is. */

import { type ClientOptions, WebSocket } from 'ws';
import type { Welcome } from '../../../shim/link/hello.ts';

export interface Closed {
	code: number;
	reason: string;
}

type Text = Record<string, unknown>;

export class Client {
	readonly socket: WebSocket;
	/** Text frames that came and that take() has not given yet. */
	readonly #texts: Text[] = [];
	readonly #waiting: ((text: Text) => void)[] = [];
	/** The newest acknowledgement of its frames. */
	acknowledged = 0;
	readonly closed: Promise<Closed>;
	/** Resolves when the WebSocket is open; rejects with the HTTP status when it is refused. */
	readonly opened: Promise<void>;

	constructor(url: string, options: ClientOptions = {}, protocols: string[] = ['aiortc-shim.v1']) {
		this.socket = new WebSocket(url, protocols, { perMessageDeflate: false, ...options });
		this.socket.on('message', (data: Buffer, binary) => {
			if (!binary) this.#came(JSON.parse(data.toString()));
		});
		this.closed = new Promise((resolve) => {
			this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
		});
		this.opened = new Promise((resolve, reject) => {
			this.socket.on('open', resolve);
			this.socket.on('error', reject);
			this.socket.on('unexpected-response', (_, response) => reject(new Error(`${response.statusCode}`)));
		});
		this.opened.catch(() => {});
	}

	send(frame: object | string): void {
		this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
	}

	/** Says hello, and gives the answer. */
	async hello(token: string, more: object = {}): Promise<Welcome> {
		await this.opened;
		this.send({ hello: { version: 1, token, client: 'test', ...more } });
		const { hello } = await this.take();
		return hello as Welcome;
	}

	/** The next text frame that is no acknowledgement; rejects when the socket is closed before it comes. */
	async take(): Promise<Text> {
		const next = this.#texts.shift();
		if (next) return next;
		const came = new Promise<Text>((resolve) => this.#waiting.push(resolve));
		const closed = this.closed.then(({ code, reason }) => {
			throw new Error(`closed with ${code} ${reason}`);
		});
		return Promise.race([came, closed]);
	}

	/** Ends the session. */
	async end(): Promise<void> {
		this.socket.close(1000);
		await this.closed;
	}

	#came(text: Text): void {
		if ('ack' in text) {
			this.acknowledged = text.ack as number;
			return;
		}
		const waiting = this.#waiting.shift();
		if (waiting) waiting(text);
		else this.#texts.push(text);
	}
}

export const ping = (call: number) => ({ call, on: 0, do: 'ping', in: {} });

/** The message with which `promise` is rejected; empty when it is not. */
export function rejection(promise: Promise<unknown>): Promise<string> {
	return promise.then(
		() => '',
		(error: Error) => error.message,
	);
}
