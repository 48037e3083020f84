import type { Welcome } from '../link/hello.ts';
import { consoleLog, type Log } from '../link/log.ts';
import type { Endpoint } from '../link/options.ts';
import type { SocketFactory } from '../link/Socket.ts';
import { idsIn, Remote } from './Remote.ts';
import { Scope } from './Scope.ts';
import type { ObjectIn, ObjectType } from './types.ts';
import { Wire } from './Wire.ts';

export type { Welcome } from '../link/hello.ts';
export { type Endpoint, LinkError } from '../link/options.ts';

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
	/** Told when the session begins and ceases to have a reason to keep the process alive; all else keeps none. */
	keepAlive?: KeepAlive;
	/** Takes a line for each frame of either direction. */
	debug?: (line: string) => void;
	/** Takes warnings; the console unless given. */
	log?: Log;
	/** Seconds for which a bridge that cannot be reached is tried before the session begins; 5 unless given. */
	patienceSeconds?: number;
	/** Seconds for which a bridge that has no place for another session is tried, asked at each answer; 60 unless given. */
	roomSeconds?: () => number | undefined;
}

/** A session in a worker: mints ids, makes remote objects, and holds the link that carries them. */
export class Session {
	/** The bridge's answer; rejects when it refuses, or cannot be reached. */
	readonly ready: Promise<Welcome>;
	/** Owns all that is made in the session; ends with it. */
	readonly scope: Scope = new Scope(this);
	/** The object with id 0. */
	readonly root: Remote<'Session'>;
	/** Called once when the session was lost for good or closed, after every Remote's `onlost`. */
	onfailure: ((error: Error) => void) | null = null;

	/** Takes what no event or error of an object tells. */
	readonly log: Log;

	readonly #wire: Wire;
	readonly #keepAlive: KeepAlive | undefined;
	#lastId = 0;
	#reasons = 0;
	#welcome: Welcome | null = null;
	#failure: Error | null = null;

	/** Connects in the background; everything may be used at once. */
	constructor(options: SessionOptions) {
		this.#keepAlive = options.keepAlive;
		this.log = options.log ?? consoleLog;
		let resolve!: (welcome: Welcome) => void;
		let reject!: (error: Error) => void;
		this.ready = new Promise((...settle) => {
			[resolve, reject] = settle;
		});
		// Who uses the session without awaiting this hears of a failure by its objects.
		this.ready.catch(() => {});
		let calling = () => {};
		this.#wire = new Wire({
			connect: options.connect,
			openSocket: options.openSocket ?? ((url, protocol) => new WebSocket(url, protocol)),
			client: options.client ?? 'aiortc-shim',
			patienceSeconds: options.patienceSeconds,
			roomSeconds: options.roomSeconds,
			debug: options.debug,
			log: this.log,
			onwelcome: (welcome) => {
				this.#welcome = welcome;
				resolve(welcome);
			},
			onlost: (error) => {
				this.#failure = error;
				reject(error);
			},
			onfailure: (error) => {
				this.scope.dispose();
				this.onfailure?.(error);
			},
			replacer: idsIn(this),
			onbusy: (busy) => {
				if (busy) calling = this.hold();
				else calling();
			},
		});
		this.root = new Remote(this, this.#wire, 'Session', 0, null);
		this.root.on('warning', ({ message }) =>
			this.log({ level: 'warn', source: 'worker', kind: 'quota-reached', message }),
		);
	}

	/** The bridge's answer, once it came. */
	get welcome(): Welcome | null {
		return this.#welcome;
	}

	/** Why the session was lost, or null while it lives. */
	get failure(): Error | null {
		return this.#failure;
	}

	/** Makes an object that lives as long as the session, unless it is dropped. */
	create<T extends ObjectType>(type: T, params: ObjectIn<T>): Remote<T> {
		return this.scope.create(type, params);
	}

	/** Makes an object under `scope`, whose create() this is a part of. */
	make<T extends ObjectType>(scope: Scope, type: T, params: ObjectIn<T>): Remote<T> {
		const id = this.#lastId + 1;
		if (!scope.isDisposed) this.#wire.create(id, type, params);
		this.#lastId = id;
		return new Remote(this, this.#wire, type, id, scope);
	}

	/** Keeps the process alive until the function that it returns is called. */
	hold(): () => void {
		if (++this.#reasons === 1) this.#keepAlive?.ref();
		let held = true;
		return () => {
			if (!held) return;
			held = false;
			if (--this.#reasons === 0) this.#keepAlive?.unref();
		};
	}

	/** Ends the session, and with it every object; resolves when the socket is closed. */
	close(): Promise<void> {
		return this.#wire.close();
	}
}
