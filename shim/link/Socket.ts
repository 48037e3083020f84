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

export type SocketFactory = (url: string, protocol: string) => Socket;
