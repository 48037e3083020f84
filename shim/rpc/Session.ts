import type { Welcome } from '../link/hello.ts';
import type { SocketFactory } from '../link/Socket.ts';
import { Remote } from './Remote.ts';
import type { ObjectIn, ObjectType } from './types.ts';

export type { Welcome } from '../link/hello.ts';

/** Where a bridge listens, and what it wants to be shown. */
export interface Endpoint {
	url: string;
	token: string;
}

/** Keeps the process alive between ref() and unref(). */
export interface KeepAlive {
	ref(): void;
	unref(): void;
}

export interface SessionOptions {
	/** Finds the bridge, or starts it; called again when a socket is to be replaced. */
	connect: () => Endpoint | Promise<Endpoint>;
	/** Opens a WebSocket; by default the host's own. */
	openSocket?: SocketFactory;
	/** For the bridge's log: `aiortc-shim/0.1.0 node/24.21.0`. */
	client?: string;
	/** Told when the session begins and ceases to have a reason to keep the process alive. */
	keepAlive?: KeepAlive;
	/** Takes a line for each frame of either direction. */
	debug?: (line: string) => void;
}

/** A session in a worker: mints ids, makes remote objects, and holds the link that carries them. */
export class Session {
	/** The bridge's answer; rejects when it refuses. */
	readonly ready: Promise<Welcome>;
	/** The object with id 0. */
	readonly root: Remote<'Session'>;
	/** Called once when the session was lost for good, after every Remote's `onlost`. */
	onfailure: ((error: Error) => void) | null = null;

	constructor(_options: SessionOptions) {
		this.ready = Promise.reject(new Error('not yet'));
		this.root = new Remote(this, 'Session', 0);
	}

	/** The bridge's answer, once it came. */
	get welcome(): Welcome | null {
		throw new Error('not yet');
	}

	/** Why the session was lost, or null while it lives. */
	get failure(): Error | null {
		throw new Error('not yet');
	}

	/** Makes an object in the worker. It may be used at once: frames start in order. */
	create<T extends ObjectType>(_type: T, _params: ObjectIn<T>): Remote<T> {
		throw new Error('not yet');
	}

	/** Keeps the process alive until the function that it returns is called. */
	hold(): () => void {
		throw new Error('not yet');
	}

	/** Ends the session, and with it every object; resolves when the socket is closed. */
	close(): Promise<void> {
		throw new Error('not yet');
	}
}
