import type { types } from 'mediasoup-client';

/**
 * How a transport stands: `interrupted` is what may pass by itself, `recovering` is ICE being restarted, `lost` is what
 * restarts did not mend.
 */
export type Standing = 'new' | 'connecting' | 'connected' | 'interrupted' | 'recovering' | 'lost';

/** Milliseconds for which an interruption may pass by itself. */
const PATIENCE = 3_000;
/** Milliseconds between restarts that the server did not answer. */
const PAUSE = 2_000;
const ATTEMPTS = 5;
/** The one that a person should hear of when two paths differ, first. */
const WORST: readonly Standing[] = ['lost', 'recovering', 'interrupted', 'connecting', 'connected', 'new'];

/** Watches a transport's connection to the SFU, and restarts ICE when it is lost. */
export class Path {
	readonly #transport: types.Transport;
	readonly #askServer: () => Promise<types.IceParameters>;
	readonly #onchange: (standing: Standing) => void;
	#standing: Standing = 'new';
	#attempts = 0;
	#timer: ReturnType<typeof setTimeout> | undefined;

	/** @param askServer lets the server restart its side; resolves with the parameters for ours */
	constructor(
		transport: types.Transport,
		askServer: () => Promise<types.IceParameters>,
		onchange: (standing: Standing) => void,
	) {
		this.#transport = transport;
		this.#askServer = askServer;
		this.#onchange = onchange;
		transport.on('connectionstatechange', (state) => this.#onstate(state));
		transport.observer.once('close', () => clearTimeout(this.#timer));
	}

	get standing(): Standing {
		return this.#standing;
	}

	#onstate(state: types.ConnectionState): void {
		clearTimeout(this.#timer);
		if (state === 'connected') {
			this.#attempts = 0;
			this.#set('connected');
		} else if (state === 'connecting') {
			this.#set(this.#attempts > 0 ? 'recovering' : 'connecting');
		} else if (state === 'disconnected') {
			this.#set('interrupted');
			this.#restartIn(PATIENCE);
		} else if (state === 'failed') {
			void this.#restart();
		}
	}

	async #restart(): Promise<void> {
		this.#attempts++;
		if (this.#attempts > ATTEMPTS) return this.#set('lost');
		this.#set('recovering');
		try {
			const iceParameters = await this.#askServer();
			await this.#transport.restartIce({ iceParameters });
		} catch {
			// A server that does not answer now may do so later; that there is no way at all is told by its socket.
			if (!this.#transport.closed) this.#restartIn(PAUSE);
		}
	}

	#restartIn(milliseconds: number): void {
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => {
			if (this.#transport.connectionState !== 'connected') void this.#restart();
		}, milliseconds);
	}

	#set(standing: Standing): void {
		if (standing === this.#standing) return;
		this.#standing = standing;
		this.#onchange(standing);
	}
}

/** What is said of several paths at once. */
export function worstOf(standings: readonly Standing[]): Standing {
	return WORST.find((standing) => standings.includes(standing)) ?? 'new';
}
