import { SUBPROTOCOL, VERSION } from './frames.ts';
import type { Hello, Welcome } from './hello.ts';
import { type Endpoint, LinkError, type LinkOptions, RefusedError } from './options.ts';
import { Retries, type Retry } from './Retries.ts';
import type { Refusal, Socket } from './Socket.ts';
import { timer } from './timer.ts';

/** Milliseconds that a bridge has to open the socket of a new session. */
const HANDSHAKE = 10_000;
/** For its answer to a first hello: a worker has as long to start. */
const ANSWER_SECONDS = 30;
/** The same for a session that exists: it waits for no worker, and an attempt that the path swallowed holds up the next. */
const RESUME_HANDSHAKE = 4000;
const PATIENCE_SECONDS = 5;
/** A client that vanished keeps its place for 14 s until the bridge gives its socket up; from then on a newcomer may have it. */
const ROOM_SECONDS = 60;

/** What of a link's options is of use to it. */
type Options = Pick<LinkOptions, 'connect' | 'openSocket' | 'client' | 'log' | 'patienceSeconds' | 'roomSeconds'>;

interface Handlers {
	/** The bridge has answered; the socket's handlers are the caller's to set. */
	welcomed(socket: Socket, welcome: Welcome): void;
	/** The bridge refused, or could not be reached in time. */
	refused(error: Error): void;
}

/** Opens sockets until a bridge welcomes one, waiting longer each time, as long as the session may still be there. */
export class Connector {
	readonly #options: Options;
	readonly #handlers: Handlers;
	#welcome: Welcome | null = null;
	/** Whatever belongs to an older one is over. */
	#attempt = 0;
	#socket: Socket | null = null;
	/** Settled when the socket has a session or is closed. */
	#greeting: Promise<void> = Promise.resolve();
	#stopPause: (() => void) | null = null;

	constructor(options: Options, handlers: Handlers) {
		this.#options = options;
		this.#handlers = handlers;
	}

	/** Begins the session, or takes it up, of whose counted frames `received` came. */
	connect(received: number | null): void {
		const attempt = ++this.#attempt;
		void this.#run(attempt, received);
	}

	/** Opens no more sockets; resolves when the one that was being opened is closed. */
	async stop(): Promise<void> {
		this.#attempt += 1;
		this.#stopPause?.();
		if (this.#socket === null) return;
		this.#socket.close();
		this.#socket = null;
		await this.#greeting.catch(() => {});
	}

	async #run(attempt: number, received: number | null): Promise<void> {
		let retries = received === null ? null : this.#retries(true);
		for (;;) {
			let retry: Retry | null;
			try {
				const endpoint = await this.#find();
				// Finding a first bridge may mean to install and start it, which takes the time it takes.
				retries ??= this.#retries(false);
				if (attempt !== this.#attempt) return;
				const handshake = received === null ? HANDSHAKE : RESUME_HANDSHAKE;
				const patience = Math.max(1000, Math.min(handshake, retries.patience(performance.now())));
				this.#greeting = this.#greet(endpoint, attempt, received, patience);
				await this.#greeting;
				return;
			} catch (thrown) {
				if (attempt !== this.#attempt) return;
				const error = thrown instanceof Error ? thrown : new Error(String(thrown));
				retry = retries?.next(error, performance.now(), Math.random()) ?? null;
				if (retry === null) {
					this.#handlers.refused(error);
					return;
				}
				if (received === null && retry.announced !== null) this.#warn(error, retry.announced);
			}
			await this.#pause(retry.pause);
			if (attempt !== this.#attempt) return;
		}
	}

	#retries(isResuming: boolean): Retries {
		const { patienceSeconds = PATIENCE_SECONDS, roomSeconds } = this.#options;
		const seconds = {
			absent: this.#welcome?.graceSeconds ?? patienceSeconds,
			get full() {
				return roomSeconds?.() ?? ROOM_SECONDS;
			},
		};
		return new Retries(isResuming, seconds, performance.now());
	}

	/** Async, so that what `connect` throws at once is heard when the constructors that lead here are done. */
	async #find(): Promise<Endpoint> {
		return this.#options.connect();
	}

	#warn({ message }: Error, seconds: number): void {
		this.#options.log?.({
			level: 'warn',
			source: 'shim',
			kind: 'bridge-unreachable',
			message: `${message}; trying for ${seconds} s`,
		});
	}

	/** Never resolves once stop() was called. */
	#pause(milliseconds: number): Promise<void> {
		return new Promise((resolve) => {
			this.#stopPause = timer(milliseconds, resolve);
		});
	}

	#accept(socket: Socket, welcome: Welcome, resuming: boolean): void {
		if (welcome.version !== VERSION) {
			throw new LinkError(4002, `the bridge speaks version ${welcome.version}, this shim ${VERSION}`);
		}
		if (resuming && !welcome.resumed) throw new LinkError(4004, '');
		this.#socket = null;
		this.#welcome = welcome;
		this.#handlers.welcomed(socket, welcome);
	}

	#hello(token: string, received: number | null): Hello {
		const hello: Hello = { version: VERSION, token, client: this.#options.client };
		if (received !== null && this.#welcome) {
			hello.resume = { session: this.#welcome.session, key: this.#welcome.key, received };
		}
		return hello;
	}

	/** Resolves once the session began; rejects when it did not. */
	#greet(endpoint: Endpoint, attempt: number, received: number | null, patience: number): Promise<void> {
		return new Promise((resolve, reject) => {
			const { url, token, openSocket = this.#options.openSocket, answerSeconds = ANSWER_SECONDS } = endpoint;
			let refusal: Refusal | null = null;
			const socket = openSocket(url, SUBPROTOCOL, (response) => {
				refusal = response;
			});
			this.#socket = socket;
			socket.binaryType = 'arraybuffer';
			const wait = (milliseconds: number) =>
				timer(milliseconds, () => {
					reject(new LinkError(1006, `${url} did not answer within ${Math.round(milliseconds / 1000)} s`));
					// Until it is closed, `ws` still gives what comes: a late welcome would be taken beside the next socket's.
					socket.onmessage = null;
					socket.close();
				});
			let stop = wait(patience);
			let opened = false;
			socket.onopen = () => {
				opened = true;
				if (received === null) {
					stop();
					stop = wait(answerSeconds * 1000);
				}
				socket.send(JSON.stringify({ hello: this.#hello(token, received) }));
			};
			socket.onerror = () => {};
			// What follows the welcome may come in this very turn, so the handlers change hands here and now.
			socket.onmessage = ({ data }: { data: unknown }) => {
				stop();
				try {
					if (attempt === this.#attempt) this.#accept(socket, parseWelcome(data), received !== null);
					else socket.close();
					resolve();
				} catch (error) {
					reject(error);
					socket.close();
				}
			};
			socket.onclose = ({ code, reason }: { code: number; reason: string }) => {
				stop();
				if (refusal) reject(new RefusedError(url, refusal));
				// What a runtime says of a socket that did not open (`Expected 101 status code`) is of no help.
				else reject(new LinkError(code, opened ? reason : unreachable(endpoint)));
			};
		});
	}
}

function unreachable({ url, advice }: Endpoint): string {
	return `no bridge could be reached at ${url}${advice ? `: ${advice}` : ''}`;
}

function parseWelcome(data: unknown): Welcome {
	const { hello } = JSON.parse(String(data)) as { hello?: Welcome };
	if (typeof hello?.version !== 'number')
		throw new LinkError(4000, 'the bridge answered with something else than hello');
	return hello;
}
