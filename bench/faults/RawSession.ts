import { type ClientOptions, WebSocket } from 'ws';

export interface Closed {
	readonly code: number;
	readonly reason: string;
}

/** A shim that disregards the protocol: hello, and then whatever it is told to send. */
export class RawSession {
	readonly socket: WebSocket;
	readonly closed: Promise<Closed>;

	private constructor(url: string, options: ClientOptions) {
		this.socket = new WebSocket(url, ['aiortc-shim.v1'], { perMessageDeflate: false, ...options });
		this.closed = new Promise((resolve) => {
			this.socket.on('error', () => {});
			this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
		});
	}

	/**
	 * Resolves when the bridge has answered the hello.
	 *
	 * @throws {Error} it closed instead; the message has its code
	 */
	static async open(url: string, token: string, options: ClientOptions = {}): Promise<RawSession> {
		const session = new RawSession(url, options);
		const { socket } = session;
		const refused = session.closed.then(({ code, reason }) => {
			throw new Error(`${code} ${reason}`);
		});
		const answered = new Promise<void>((resolve) => {
			socket.once('open', () => session.send({ hello: { version: 1, token, client: 'faults' } }));
			socket.once('message', () => resolve());
		});
		await Promise.race([answered, refused]);
		return session;
	}

	send(frame: object | string | Uint8Array): void {
		const isData = typeof frame === 'string' || frame instanceof Uint8Array;
		this.socket.send(isData ? frame : JSON.stringify(frame));
	}

	/** A binary record: 1 is a message, 2 media, 3 credit. */
	record(kind: number, object: number, payload: Uint8Array): void {
		const header = Buffer.alloc(12);
		header.writeUInt8(kind, 0);
		header.writeUInt32BE(object, 4);
		header.writeUInt32BE(payload.length, 8);
		this.send(Buffer.concat([header, payload]));
	}

	/** As the record that lets an object send so many frames. */
	credit(object: number, frames: number): void {
		const payload = Buffer.alloc(4);
		payload.writeUInt32BE(frames);
		this.record(3, object, payload);
	}

	async end(): Promise<void> {
		if (this.socket.readyState === WebSocket.CLOSED) return;
		this.socket.resume();
		this.socket.close(1000);
		const timer = setTimeout(() => this.socket.terminate(), 2_000);
		await this.closed;
		clearTimeout(timer);
	}
}
