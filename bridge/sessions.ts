/** All sessions of a bridge: how a WebSocket that comes in gets one, new or taken up again. */

import { createHmac, randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { CloseCode, ProtocolError, VERSION, WINDOW } from '../shim/link/frames.ts';
import type { Hello, Resume, WorkerHello, WorkerInfo } from '../shim/link/hello.ts';
import type { Log } from '../shim/link/log.ts';
import type { Isolation } from './backendOptions.ts';
import { HelloError, parseHello } from './handshake.ts';
import type { LocalSocket } from './LocalSocket.ts';
import { type Access, findAccess, isSame } from './limits.ts';
import { Newcomer } from './Newcomer.ts';
import type { Network } from './network.ts';
import { type Pool, PoolFullError } from './pool.ts';
import type { ShimSocket } from './ShimSocket.ts';
import { BridgeSession, closeSocket } from './session.ts';
import type { Worker } from './worker.ts';
import { WorkerGoneError } from './workerErrors.ts';

/** For a worker's first frame. */
const WORKER_HELLO_MS = 10_000;

export interface SessionsOptions {
	readonly access: readonly Access[];
	readonly isolation: Isolation;
	readonly network: Network;
	readonly pool: Pool;
	readonly graceSeconds: number;
	readonly shared: boolean;
	readonly log: Log;
}

export class Sessions {
	readonly #options: SessionsOptions;
	readonly #sessions = new Map<string, BridgeSession>();
	/** Sessions that are being made, by token: they count, or a burst would pass the limit. */
	readonly #opening = new Map<string, number>();
	readonly #strangers = new Set<ShimSocket>();
	/** Of the keys that tokens have. */
	readonly #secret = randomBytes(32);

	constructor(options: SessionsOptions) {
		this.#options = options;
	}

	get size(): number {
		return this.#sessions.size;
	}

	/** Sockets that have not said hello yet. */
	get strangers(): number {
		return this.#strangers.size;
	}

	/** Waits for the hello of a socket, and gives it the session that it asks for; `stream` as Newcomer has it. */
	async welcome(socket: ShimSocket, stream?: Duplex): Promise<void> {
		this.#strangers.add(socket);
		socket.on('close', () => this.#strangers.delete(socket));
		const newcomer = new Newcomer(socket, stream);
		const [payload, binary] = await newcomer.hello;
		this.#strangers.delete(socket);
		try {
			newcomer.admit(await this.#open(socket, payload, binary));
		} catch (error) {
			newcomer.dismiss(this.#codeOf(error as Error), (error as Error).message);
		}
	}

	endAll(code: number, reason: string): void {
		for (const socket of this.#strangers) closeSocket(socket, code, reason);
		for (const session of this.#sessions.values()) session.end(code, reason);
	}

	async #open(socket: ShimSocket, payload: Buffer, binary: boolean): Promise<BridgeSession> {
		const hello = parseHello(payload, binary);
		const access = findAccess(this.#options.access, hello.token);
		if (!access) throw new HelloError(CloseCode.token, 'the token is wrong');
		if (hello.resume) return this.#resume(socket, access, hello.resume);
		const session = await this.#create(access, hello);
		if (socket.readyState !== socket.OPEN) {
			session.end(CloseCode.ended, '');
			throw new HelloError(CloseCode.ended, 'gone before it had a session');
		}
		session.attach(socket);
		return session;
	}

	#resume(socket: ShimSocket, access: Access, { session: id, key, received }: Resume): BridgeSession {
		const session = this.#sessions.get(id);
		if (!session || session.access !== access || !isSame(session.key, key)) {
			throw new HelloError(CloseCode.unknownSession, 'no such session: it ended, or its grace time passed');
		}
		session.resume(socket, received);
		return session;
	}

	async #create(access: Access, hello: Hello): Promise<BridgeSession> {
		const { token, limits } = access;
		const opening = this.#opening.get(token) ?? 0;
		const existing = [...this.#sessions.values()].filter((session) => session.access === access).length;
		if (existing + opening >= limits.sessions) {
			throw new HelloError(CloseCode.limit, `${limits.sessions} sessions exist; no more are allowed to this token`);
		}
		this.#opening.set(token, opening + 1);
		try {
			return await this.#createInWorker(access, hello);
		} finally {
			this.#opening.set(token, this.#opening.get(token)! - 1);
		}
	}

	/** A worker may have died so lately that the pool still gives it: then once more. */
	async #createInWorker(access: Access, hello: Hello, isLast = false): Promise<BridgeSession> {
		const { isolation, pool } = this.#options;
		const id = crypto.randomUUID();
		const worker = await pool.place({ session: id, token: access.token, shared: '' }[isolation]);
		const release = () => pool.release(worker, isolation !== 'session');
		try {
			return await this.#begin(id, access, hello, worker, release);
		} catch (error) {
			if (!(error instanceof WorkerGoneError)) release();
			else pool.discard(worker);
			if (isLast || !(error instanceof WorkerGoneError)) throw error;
			return this.#createInWorker(access, hello, true);
		}
	}

	async #begin(
		id: string,
		access: Access,
		{ client }: Hello,
		worker: Worker,
		release: () => void,
	): Promise<BridgeSession> {
		const { graceSeconds, shared, log, network } = this.#options;
		const local = await worker.connect();
		const sealKey = createHmac('sha256', this.#secret).update(access.token).digest('base64');
		const info = await greet(local, id, access, network, sealKey);
		const onend = () => {
			this.#sessions.delete(id);
			release();
		};
		const session = new BridgeSession({
			id,
			access,
			local,
			worker: info,
			workerEnd: () => worker.end,
			graceSeconds,
			shared,
			onend,
		});
		this.#sessions.set(id, session);
		const message = `session ${id} of ${String(client).slice(0, 100)} in worker ${worker.pid}`;
		if (process.env.AIORTC_SHIM_DEBUG) log({ level: 'info', source: 'bridge', message });
		return session;
	}

	#codeOf(error: Error): number {
		if (error instanceof HelloError) return error.code;
		if (error instanceof ProtocolError) return CloseCode.protocol;
		if (error instanceof PoolFullError) return CloseCode.limit;
		// A close reason holds 123 bytes; the whole of it is for whoever runs the bridge.
		this.#options.log({ level: 'error', source: 'bridge', message: error.message });
		return CloseCode.workerDied;
	}
}

/** The first frames on a local socket. */
function greet(
	local: LocalSocket,
	session: string,
	{ capabilities, limits }: Access,
	network: Network,
	sealKey: string,
): Promise<WorkerInfo> {
	return new Promise((resolve, reject) => {
		const fail = (error: Error) => {
			local.end();
			reject(error);
		};
		// One that does not answer is never placed again.
		const timer = setTimeout(() => fail(new WorkerGoneError('the worker does not answer')), WORKER_HELLO_MS);
		timer.unref();
		local.onclose = () => {
			clearTimeout(timer);
			reject(new WorkerGoneError('the worker died'));
		};
		local.onframe = (payload) => {
			clearTimeout(timer);
			// What follows is the session's.
			local.onframe = null;
			const { hello, close } = JSON.parse(payload.toString());
			if (hello) resolve(hello.worker as WorkerInfo);
			else fail(new Error(close?.reason ?? 'the worker did not say hello'));
		};
		const { sessions: _, framesPerSecond: __, ...own } = limits;
		const hello: WorkerHello = {
			version: VERSION,
			session,
			capabilities: [...capabilities],
			limits: own,
			network,
			window: WINDOW,
			sealKey,
		};
		local.send(JSON.stringify({ hello }), false);
	});
}
