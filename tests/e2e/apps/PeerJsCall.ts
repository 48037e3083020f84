import { Call } from './Call.ts';

interface Emitter<Events extends Record<string, unknown[]>> {
	on<E extends keyof Events>(event: E, listener: (...args: Events[E]) => void): unknown;
}

interface DataConnection extends Emitter<{ open: []; data: [unknown]; close: []; error: [Error] }> {
	readonly open: boolean;
	send(data: unknown): void;
	close(): void;
}

interface MediaConnection extends Emitter<{ stream: [MediaStream]; close: []; error: [Error] }> {
	answer(stream?: MediaStream): void;
	close(): void;
}

/** What the tests use of PeerJS; its types need a page's. */
export interface PeerJs
	extends Emitter<{ open: [string]; call: [MediaConnection]; connection: [DataConnection]; error: [Error] }> {
	call(id: string, stream: MediaStream): MediaConnection;
	connect(id: string, options: { serialization: Serialization; reliable: boolean }): DataConnection;
	destroy(): void;
}

export type Serialization = 'binary' | 'binary-utf8' | 'json' | 'raw';
export type PeerJsClass = new (id: string, options: object) => PeerJs;

/** A PeerJS that answers whoever calls with its stream, and may call itself; a call and a data connection at a time. */
export class PeerJsCall extends Call {
	readonly peer: PeerJs;
	readonly #stream: MediaStream;
	readonly #connection: Promise<DataConnection>;
	#onconnection = (_: DataConnection): void => {};
	#call: MediaConnection | null = null;
	/** The call and the data connection. */
	#open = 2;

	/** @param port of the PeerServer, on loopback */
	constructor(Peer: PeerJsClass, id: string, port: number, stream: MediaStream) {
		super();
		this.#stream = stream;
		this.#connection = new Promise((resolve) => {
			this.#onconnection = resolve;
		});
		// What a page takes from its location, and servers of the internet else.
		this.peer = new Peer(id, { host: '127.0.0.1', port, secure: false, config: { iceServers: [] } });
		this.peer.on('call', (call) => {
			call.answer(stream);
			this.#useCall(call);
		});
		this.peer.on('connection', (connection) => this.#useConnection(connection));
		this.peer.on('error', (error) => this.errors.push(error.message));
	}

	/** Registers at the server. */
	async register(): Promise<void> {
		await new Promise((resolve) => this.peer.on('open', resolve));
	}

	dial(id: string, serialization: Serialization): void {
		this.#useCall(this.peer.call(id, this.#stream));
		this.#useConnection(this.peer.connect(id, { serialization, reliable: true }));
	}

	/** Hangs up: both connections close, and the other end is told by them alone. */
	close(): void {
		this.#call?.close();
		void this.#connection.then((connection) => connection.close());
	}

	/** Leaves the server, too. */
	destroy(): void {
		this.peer.destroy();
	}

	protected async send(message: string | Uint8Array): Promise<void> {
		const connection = await this.#connection;
		if (!connection.open) await new Promise<void>((resolve) => connection.on('open', resolve));
		connection.send(message);
	}

	#useCall(call: MediaConnection): void {
		this.#call = call;
		call.on('stream', (stream) => this.takeTracks(stream));
		this.#watch(call);
	}

	#useConnection(connection: DataConnection): void {
		connection.on('data', (data) => this.take(data as string | ArrayBuffer));
		this.#watch(connection);
		this.#onconnection(connection);
	}

	#watch(each: Emitter<{ close: []; error: [Error] }>): void {
		each.on('error', (error) => this.errors.push(error.message));
		each.on('close', () => {
			this.#open -= 1;
			if (this.#open === 0) this.over();
		});
	}
}
