/** WebSockets for Node, Deno and Bun. */

import type { IncomingMessage } from 'node:http';
import { clearTimeout, setTimeout } from 'node:timers';
import { type ClientOptions, WebSocket } from 'ws';
import { MAX_FRAME } from '../shim/link/frames.ts';
import type { Refusal, Socket } from '../shim/link/Socket.ts';

/** Of the body of a refusal: what is waited for it, and what is read of it. */
const REFUSAL_MS = 1_000;
const REFUSAL_LENGTH = 500;

/**
 * `ws` in every runtime: Node's own WebSocket cannot be unref'ed, and Deno's delays small frames by 40 ms.
 * The socket keeps nothing alive, since that is for the session to say.
 */
export function openSocket(url: string, protocol: string, onrefused: (refusal: Refusal) => void): Socket {
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
	const socket = new WebSocket(url, protocol, options);
	// Bun's own `ws` has no such event, and prints a warning about each listener.
	if (!process.versions.bun) {
		socket.on('unexpected-response', (_, response) => readRefusal(socket, response, onrefused));
	}
	return socket as Socket;
}

function isLoopback(url: string): boolean {
	return ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(url).hostname);
}

/** Reads what a server says that opens no WebSocket, and gives the socket up. */
function readRefusal(socket: WebSocket, response: IncomingMessage, onrefused: (refusal: Refusal) => void): void {
	let body = '';
	const timer = setTimeout(() => response.destroy(), REFUSAL_MS);
	response.setEncoding('utf8');
	response.on('data', (text: string) => {
		body += text;
		if (body.length > REFUSAL_LENGTH) response.destroy();
	});
	response.on('error', () => {});
	response.on('close', () => {
		clearTimeout(timer);
		onrefused({ status: response.statusCode ?? 0, reason: sentence(response, body) });
		socket.close();
	});
}

/** A bridge answers in plain text; a proxy's page of HTML says nothing to a person here. */
function sentence({ headers, statusMessage = '' }: IncomingMessage, body: string): string {
	if (!headers['content-type']?.startsWith('text/plain')) return statusMessage;
	return body.trim().split('\n')[0]?.slice(0, REFUSAL_LENGTH) || statusMessage;
}
