/** The part of the standard WebSocket that a link uses; `ws`, the built-in ones and a memory pair all have it. */
export interface Socket {
	binaryType: string;
	onopen: ((event: never) => void) | null;
	onmessage: ((event: never) => void) | null;
	onclose: ((event: never) => void) | null;
	onerror: ((event: never) => void) | null;
	send(data: string | Uint8Array<ArrayBuffer>): void;
	close(code?: number, reason?: string): void;
}

/** The HTTP response of a server that opens no WebSocket. */
export interface Refusal {
	readonly status: number;
	/** Its body, a sentence when a bridge wrote it. */
	readonly reason: string;
}

/**
 * Opens a WebSocket.
 *
 * @param onrefused called before `onclose` by a host that lets its programs see the response; browsers hide it
 */
export type SocketFactory = (url: string, protocol: string, onrefused: (refusal: Refusal) => void) => Socket;
