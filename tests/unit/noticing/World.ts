/** A shim's link, a path, the bridge's sessions and a worker that counts: everything real but the network and the worker. */

import { setImmediate as turn } from 'node:timers/promises';
import type { LocalSocket } from '../../../bridge/LocalSocket.ts';
import { DEFAULT_LIMITS } from '../../../bridge/limits.ts';
import { BridgeLog } from '../../../bridge/log/BridgeLog.ts';
import type { Pool } from '../../../bridge/pool.ts';
import { Sessions } from '../../../bridge/sessions.ts';
import { Link } from '../../../shim/link/Link.ts';
import { Scheduler } from '../../../shim/link/Scheduler.ts';
import { Path } from './Path.ts';

export const TOKEN = 'token';
const log = new BridgeLog(() => {});

/** A session that numbers what each end sends, and what arrives. */
export class World {
	readonly path: Path;
	failure: Error | null = null;
	/** When the shim opened each of its sockets, the first included: the others say when it noticed a loss. */
	readonly opened: number[] = [];
	/** When the bridge saw the end of each. */
	readonly closed: number[] = [];
	/** Numbers that arrived. */
	readonly up: number[] = [];
	readonly down: number[] = [];
	/** Pings that the shim sent. */
	pings = 0;
	#sentUp = 0;
	#sentDown = 0;
	readonly #worker = new CountingWorker((n) => this.up.push(n));
	readonly #scheduler = new Scheduler();
	readonly #link: Link;
	readonly #sessions: Sessions;

	constructor() {
		this.#sessions = new Sessions({
			access: [{ token: TOKEN, capabilities: [], limits: DEFAULT_LIMITS }],
			isolation: 'shared',
			network: {},
			pool: poolOf(this.#worker),
			graceSeconds: 30,
			shared: true,
			log,
		});
		this.path = new Path((socket) => {
			socket.on('close', () => this.closed.push(performance.now()));
			void this.#sessions.welcome(socket);
		});
		this.#link = new Link(
			{
				connect: () => ({ url: 'memory:', token: TOKEN }),
				openSocket: () => {
					this.opened.push(performance.now());
					return this.path.open();
				},
				client: 'test',
				onwelcome: () => {},
				onfailure: (error) => {
					this.failure = error;
				},
				onframe: (frame, size) => {
					const n = Number(/^{"event":(\d+)}$/.exec(String(frame))?.[1]);
					if (n) this.down.push(n);
					this.#link.took(1, size);
				},
				debug: (_, frame) => {
					if (String(frame).startsWith('{"ping":')) this.pings++;
				},
			},
			this.#scheduler,
		);
	}

	/** Sessions that the bridge has. */
	get sessions(): number {
		return this.#sessions.size;
	}

	sendUp(): void {
		this.#scheduler.control(`{"drop":${++this.#sentUp}}`);
		this.#link.wake();
	}

	sendDown(): void {
		this.#worker.send(`{"event":${++this.#sentDown}}`);
	}

	/** Whether all that either end sent arrived at the other, once and in order. */
	get isWhole(): boolean {
		return isCount(this.up, this.#sentUp) && isCount(this.down, this.#sentDown);
	}

	async close(): Promise<void> {
		void this.#link.close();
		this.#sessions.endAll(4007, 'the end');
		await turn();
	}
}

function isCount(numbers: readonly number[], most: number): boolean {
	return numbers.length === most && numbers.every((n, index) => n === index + 1);
}

/** A worker that acknowledges what it counts, and its end of a local socket. */
class CountingWorker {
	/** What the bridge has of it. */
	readonly local = {
		onframe: null as ((payload: Buffer, binary: boolean) => void) | null,
		onclose: null as (() => void) | null,
		buffered: 0,
		send: (payload: Buffer | string) => this.#take(payload.toString()),
		end: () => {},
		giveBack: () => {},
	};
	readonly #came: (n: number) => void;
	#received = 0;

	constructor(came: (n: number) => void) {
		this.#came = came;
	}

	send(text: string): void {
		queueMicrotask(() => this.local.onframe?.(Buffer.from(text), false));
	}

	#take(text: string): void {
		if (text.startsWith('{"hello":')) this.send('{"hello":{"worker":{"aiortc":"none","codecs":[]}}}');
		if (!text.startsWith('{"drop":')) return;
		this.#came(Number(/\d+/.exec(text)![0]));
		this.send(`{"ack":${++this.#received}}`);
	}
}

function poolOf({ local }: CountingWorker): Pool {
	const gate = { run: (open: () => unknown) => open() };
	const worker = { pid: 1, end: 'the worker died', gate, connect: async () => local as unknown as LocalSocket };
	const placement = { worker, release: () => {}, discard: () => {} };
	return { place: async () => placement } as unknown as Pool;
}
