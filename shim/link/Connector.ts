import { SUBPROTOCOL, VERSION } from './frames.ts';
import type { Hello, Welcome } from './hello.ts';
import { type Endpoint, LinkError, type LinkOptions } from './options.ts';
import type { Socket } from './Socket.ts';
import { timer } from './timer.ts';

/** Milliseconds that a bridge has to open the socket and answer hello. */
const HANDSHAKE = 10_000;
const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 2000;
const PATIENCE_SECONDS = 5;

interface Handlers {
	/** The bridge has answered; the socket's handlers are the caller's to set. */
	welcomed(socket: Socket, welcome: Welcome): void;
	/** The bridge refused, or could not be reached in time. */
	refused(error: Error): void;
}

/** Opens sockets until a bridge welcomes one, waiting longer each time, as long as the session may still be there. */
export class Connector {
	readonly #options: LinkOptions;
	readonly #handlers: Handlers;
	#welcome: Welcome | null = null;
	/** Whatever belongs to an older one is over. */
	#attempt = 0;
	#socket: Socket | null = null;

	constructor(options: LinkOptions, handlers: Handlers) {
		this.#options = options;
		this.#handlers = handlers;
	}

	/** Begins the session, or takes it up, of whose counted frames `received` came. */
	connect(received: number | null): void {
		const attempt = ++this.#attempt;
		void this.#run(attempt, received);
	}

	stop(): void {
		this.#attempt += 1;
		this.#socket?.close();
		this.#socket = null;
	}

	async #run(attempt: number, received: number | null): Promise<void> {
		const seconds = this.#welcome?.graceSeconds ?? this.#options.patienceSeconds ?? PATIENCE_SECONDS;
		let deadline = received === null ? null : Date.now() + seconds * 1000;
		for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
			try {
				const endpoint = await this.#options.connect();
				// Finding a first bridge may mean to install and start it, which takes the time it takes.
				deadline ??= Date.now() + seconds * 1000;
				if (attempt !== this.#attempt) return;
				const patience = Math.max(1000, Math.min(HANDSHAKE, deadline - Date.now()));
				const longest = received === null && endpoint.answerSeconds ? endpoint.answerSeconds * 1000 : patience;
				await this.#greet(endpoint, attempt, received, longest);
				return;
			} catch (error) {
				if (attempt !== this.#attempt) return;
				if (deadline === null || Date.now() > deadline || (error instanceof LinkError && error.code >= 4000)) {
					this.#handlers.refused(error instanceof Error ? error : new Error(String(error)));
					return;
				}
			}
			// Many shims whose bridge came back do not all knock at once.
			await new Promise<void>((resolve) => timer(pause * (0.5 + Math.random() / 2), resolve));
			if (attempt !== this.#attempt) return;
		}
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
			const { url, token, openSocket = this.#options.openSocket } = endpoint;
			const socket = openSocket(url, SUBPROTOCOL);
			this.#socket = socket;
			socket.binaryType = 'arraybuffer';
			const stop = timer(patience, () => {
				reject(new LinkError(1006, `${url} did not answer within ${Math.round(patience / 1000)} s`));
				socket.close();
			});
			socket.onopen = () => socket.send(JSON.stringify({ hello: this.#hello(token, received) }));
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
				reject(new LinkError(code, reason || (code < 4000 ? `no bridge could be reached at ${url}` : '')));
			};
		});
	}
}

function parseWelcome(data: unknown): Welcome {
	const { hello } = JSON.parse(String(data)) as { hello?: Welcome };
	if (typeof hello?.version !== 'number')
		throw new LinkError(4000, 'the bridge answered with something else than hello');
	return hello;
}
