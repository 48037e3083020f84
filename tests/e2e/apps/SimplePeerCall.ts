import { Call } from './Call.ts';

/** What the tests use of simple-peer, which ships no types. */
export interface SimplePeer {
	readonly remoteAddress?: string;
	readonly remotePort?: number;
	signal(data: object): void;
	addStream(stream: MediaStream): void;
	removeStream(stream: MediaStream): void;
	replaceTrack(before: MediaStreamTrack, now: MediaStreamTrack, stream: MediaStream): void;
	write(data: string | Uint8Array): boolean;
	on(event: 'signal', listener: (data: object) => void): void;
	on(event: 'connect' | 'close', listener: () => void): void;
	on(event: 'data', listener: (data: string | Uint8Array<ArrayBuffer>) => void): void;
	on(event: 'stream', listener: (stream: MediaStream) => void): void;
	on(event: 'error', listener: (error: Error) => void): void;
	destroy(): void;
}

export interface SimplePeerOptions {
	initiator?: boolean;
	stream?: MediaStream | undefined;
	trickle?: boolean;
	/** Messages come as they were sent; without it texts come as bytes. */
	objectMode?: boolean;
	config?: RTCConfiguration;
}

export type SimplePeerClass = new (options: SimplePeerOptions) => SimplePeer;

export class SimplePeerCall extends Call {
	readonly peer: SimplePeer;
	readonly connected: Promise<void>;

	constructor(SimplePeer: SimplePeerClass, options: SimplePeerOptions, onSignal: (data: object) => void) {
		super();
		// Its own configuration names STUN servers of the internet.
		this.peer = new SimplePeer({ ...options, objectMode: true, config: { iceServers: [] } });
		this.connected = new Promise((resolve) => this.peer.on('connect', resolve));
		this.peer.on('signal', onSignal);
		this.peer.on('data', (data) => this.take(data));
		this.peer.on('stream', (stream) => this.takeTracks(stream));
		this.peer.on('error', (error) => this.errors.push(error.message));
		this.peer.on('close', this.over);
	}

	close(): void {
		this.peer.destroy();
	}

	protected async send(message: string | Uint8Array): Promise<void> {
		await this.connected;
		this.peer.write(message);
	}
}
