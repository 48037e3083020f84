/** All sessions of a bridge: how a WebSocket that comes in gets one, new or taken up again. */

import { createHmac, randomBytes } from 'node:crypto';
import { CloseCode, ProtocolError, VERSION, WINDOW } from '../shim/link/frames.ts';
import type { Hello, Resume, WorkerHello, WorkerInfo } from '../shim/link/hello.ts';
import type { Isolation } from './backendOptions.ts';
import { HelloError, parseHello } from './handshake.ts';
import type { LocalSocket } from './LocalSocket.ts';
import { type Access, findAccess, isSame, toRaise } from './limits.ts';
import { type BridgeLog, shortId } from './log/BridgeLog.ts';
import { MinuteLog } from './MinuteLog.ts';
import { Newcomer } from './Newcomer.ts';
import type { Network } from './network.ts';
import { type Placement, type Pool, PoolFullError } from './pool.ts';
import type { ShimSocket } from './ShimSocket.ts';
import { type Stranger, Strangers } from './Strangers.ts';
import { Suspects } from './Suspects.ts';
import { BridgeSession } from './session.ts';
import type { Worker } from './worker.ts';
import { WorkerGoneError } from './workerErrors.ts';

/** Codes of an end that the shim, or whoever writes its frames, has brought about. */
const BROKEN: readonly number[] = [CloseCode.protocol, CloseCode.limit];
/** For a worker's first frame. */
const WORKER_HELLO_MS = 10_000;

export interface SessionsOptions {
	readonly access: readonly Access[];
	readonly isolation: Isolation;
	readonly network: Network;
	readonly pool: Pool;
	readonly graceSeconds: number;
	readonly shared: boolean;
	readonly log: BridgeLog;
}

export class Sessions {
	/** Connections that have shown no token yet. */
	readonly strangers: Strangers;

	readonly #options: SessionsOptions;
	readonly #sessions = new Map<string, BridgeSession>();
	/** Sessions that are being made, by token: they count, or a burst would pass the limit. */
	readonly #opening = new Map<string, number>();
	/** Those that have no session yet. */
	readonly #arriving = new Set<Newcomer>();
	readonly #minutes: MinuteLog;
	readonly #suspects = new Suspects();
	/** Of the keys that tokens have. */
	readonly #secret = randomBytes(32);

	constructor(options: SessionsOptions) {
		this.#options = options;
		this.#minutes = new MinuteLog((record) => options.log.pass(record));
		const what = 'too many connections had not said hello, and the oldest of the address with most of them was closed';
		this.strangers = new Strangers((address) => this.#minutes.note(what, address));
	}

	get size(): number {
		return this.#sessions.size;
	}

	/** Waits for the hello of a socket, and gives it the session that it asks for; `stranger` as Newcomer has it. */
	async welcome(socket: ShimSocket, stranger?: Stranger): Promise<void> {
		const newcomer = new Newcomer(socket, stranger);
		this.#arriving.add(newcomer);
		socket.on('close', () => this.#arriving.delete(newcomer));
		const frame = await newcomer.hello;
		try {
			newcomer.admit(await this.#open(newcomer, parseHello(...frame)));
			this.#arriving.delete(newcomer);
		} catch (error) {
			const code = this.#codeOf(error as Error, newcomer);
			this.#report(error as Error, code, newcomer);
			newcomer.dismiss(code, (error as Error).message);
		}
	}

	endAll(code: number, reason: string): void {
		this.#minutes.close();
		for (const newcomer of this.#arriving) newcomer.dismiss(code, reason);
		for (const session of this.#sessions.values()) session.end(code, reason);
	}

	async #open(newcomer: Newcomer, hello: Hello): Promise<BridgeSession> {
		const { socket, stranger } = newcomer;
		const access = findAccess(this.#options.access, hello.token);
		const known = access && this.#known(access, hello.resume);
		if (stranger && !known) await this.#keepBack(newcomer, stranger.address, !access);
		if (!access)
			throw new HelloError(CloseCode.token, 'the token is wrong: set AIORTC_SHIM_TOKEN to one of this bridge');
		if (stranger) this.strangers.delete(stranger);
		if (known) {
			known.resume(socket, hello.resume!.received);
			return known;
		}
		if (hello.resume) {
			throw new HelloError(CloseCode.unknownSession, 'no such session: it ended, or its grace time passed');
		}
		const session = await this.#create(access, hello);
		if (socket.readyState !== socket.OPEN) {
			session.end(CloseCode.ended, '');
			throw new HelloError(CloseCode.ended, 'gone before it had a session');
		}
		session.attach(socket);
		return session;
	}

	/** The session that may be resumed, if there is one: who has its key is no stranger, and waits for nothing. */
	#known(access: Access, resume: Resume | undefined): BridgeSession | null {
		const session = resume && this.#sessions.get(resume.session);
		return session && session.access === access && isSame(session.key, resume.key) ? session : null;
	}

	/** Lets whoever shares its address with wrong tokens wait, whether this one is or not. */
	async #keepBack(newcomer: Newcomer, address: string, isWrong: boolean): Promise<void> {
		const now = performance.now();
		const milliseconds = this.#suspects.delay(address, now);
		if (isWrong) {
			this.#suspects.note(address, now);
			this.#minutes.note('a wrong token was shown', address);
		}
		if (milliseconds > 0) await newcomer.wait(milliseconds);
	}

	async #create(access: Access, hello: Hello): Promise<BridgeSession> {
		const { token, limits } = access;
		const opening = this.#opening.get(token) ?? 0;
		const existing = [...this.#sessions.values()].filter((session) => session.access === access).length;
		if (existing + opening >= limits.sessions && !this.#endWaiting(access)) {
			const most = `${limits.sessions} sessions exist; no more are allowed to this token`;
			throw new HelloError(CloseCode.limit, `${most}; ${toRaise('sessions')}`);
		}
		this.#opening.set(token, opening + 1);
		try {
			return await this.#createInWorker(access, hello);
		} finally {
			this.#opening.set(token, this.#opening.get(token)! - 1);
		}
	}

	/**
	 * Ends the session of `access` that has waited longest for its shim to come back: the places of a token are for clients
	 * that are there, and one that crashed does not come back. Whether there was such a session.
	 */
	#endWaiting(access: Access): boolean {
		const own = [...this.#sessions.values()].filter((session) => session.access === access);
		const waiting = own.filter((session) => session.waitingSince !== null);
		const [longest] = waiting.sort((a, b) => a.waitingSince! - b.waitingSince!);
		longest?.end(CloseCode.unknownSession, 'a newer session of its token has its place');
		return longest !== undefined;
	}

	/** @throws {HelloError} there is no worker to have, not even of a session of `access` whose shim is away */
	async #place(owner: string, access: Access): Promise<Placement> {
		try {
			return await this.#options.pool.place(owner);
		} catch (error) {
			if (!(error instanceof PoolFullError)) throw error;
			if (!this.#endWaiting(access)) throw new HelloError(CloseCode.limit, error.message);
			return this.#place(owner, access);
		}
	}

	/** A worker may have died so lately that the pool still gives it: then once more. */
	async #createInWorker(access: Access, hello: Hello, isLast = false): Promise<BridgeSession> {
		const { isolation } = this.#options;
		const id = crypto.randomUUID();
		const place = await this.#place({ session: id, token: access.token, shared: '' }[isolation], access);
		const release = () => place.release(isolation !== 'session');
		try {
			return await this.#begin(id, access, hello, place.worker, release);
		} catch (error) {
			if (!(error instanceof WorkerGoneError)) release();
			else place.discard();
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
		const sealKey = createHmac('sha256', this.#secret).update(access.token).digest('base64');
		const { local, info } = await worker.gate.run(async () => {
			const local = await worker.connect();
			return { local, info: await greet(local, id, access, network, sealKey) };
		});
		const onend = (code: number, reason: string) => {
			this.#sessions.delete(id);
			release();
			showKey();
			log.say(BROKEN.includes(code) ? 'session-broke' : 'session-ended', `a session ended: ${reason || 'goodbye'}`, {
				session: shortId(id),
				code,
			});
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
		const showKey = log.hide(session.key);
		log.say('session-began', `a session of ${String(client).slice(0, 100)} began`, {
			session: shortId(id),
			worker: worker.pid,
		});
		return session;
	}

	#codeOf(error: Error, { stranger }: Newcomer): number {
		if (error instanceof ProtocolError) return CloseCode.protocol;
		if (error instanceof HelloError) {
			if (error.code === CloseCode.limit) this.#minutes.note(error.message, stranger?.address ?? 'this process');
			return error.code;
		}
		return CloseCode.workerDied;
	}

	/** Tells whoever runs the bridge why a socket gets no session. A close reason holds 123 bytes, a line more. */
	#report({ message }: Error, code: number, { stranger }: Newcomer): void {
		// Of the token and of limits the line of the minute tells.
		if (code === CloseCode.ended || code === CloseCode.token || code === CloseCode.limit) return;
		const address = stranger?.address ?? 'this process';
		if (code === CloseCode.workerDied) this.#options.log.say('worker-failed', message);
		else this.#options.log.say('hello-refused', `no session: ${message}`, { address, code });
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
