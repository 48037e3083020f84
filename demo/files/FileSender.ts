import { digestOf, type FileReceipt } from '../receipts.ts';
import type { PeerInfo } from '../signalling.ts';
import { CHUNK, LARGEST, type Offer, shorten, WINDOW } from './offer.ts';

/** What came of a file at one of its receivers. */
export type Outcome = 'waiting' | 'whole' | 'different' | 'refused' | 'left' | 'silent';

export interface Delivery {
	peer: PeerInfo;
	/** Bytes that it said it has. */
	bytes: number;
	outcome: Outcome;
	/** Of `refused`. */
	reason?: string;
}

/** What a sender needs of a data producer. */
export interface Outlet {
	send(data: string | Uint8Array<ArrayBuffer>): void;
}

export interface Sending {
	signal?: AbortSignal;
	/** @param bytes that every receiver has */
	onProgress?(bytes: number, deliveries: readonly Delivery[]): void;
}

/** Milliseconds after which a receiver that says nothing is not waited for any more. */
const SILENCE = 20_000;

/** Sends files to all who listen, one after another, no faster than the slowest of them takes them. */
export class FileSender {
	readonly #outlet: Outlet;
	readonly #silence: number;
	readonly #listening = new Map<string, PeerInfo>();
	/** What the receivers of the present file have. */
	#deliveries = new Map<string, Delivery>();
	#present: Offer | null = null;
	#queue: Promise<unknown> = Promise.resolve();
	#wake: () => void = () => {};

	constructor(outlet: Outlet, silence = SILENCE) {
		this.#outlet = outlet;
		this.#silence = silence;
	}

	/** This peer gets what is sent from now on. */
	addListener(peer: PeerInfo): void {
		this.#listening.set(peer.id, peer);
	}

	removeListener(peer: PeerInfo): void {
		this.#listening.delete(peer.id);
		this.#settle(peer.id, 'left');
	}

	/** Takes what a peer says that it has of a file of ours. */
	confirm({ id, bytes, sha256, refused }: FileReceipt, peer: PeerInfo): void {
		const delivery = this.#deliveries.get(peer.id);
		if (!delivery || this.#present?.id !== id || delivery.outcome !== 'waiting') return;
		delivery.bytes = Math.min(Math.max(bytes, delivery.bytes), this.#present.size);
		if (refused !== undefined) Object.assign(delivery, { outcome: 'refused', reason: refused });
		else if (sha256 !== undefined) delivery.outcome = sha256 === this.#present.sha256 ? 'whole' : 'different';
		this.#wake();
	}

	/**
	 * Sends a file when those before it are through.
	 *
	 * @returns what came of it at each who listened
	 * @throws {RangeError} it is too large
	 * @throws {Error} nobody listens, or the channel has closed
	 * @throws the signal's reason
	 */
	send(file: File, sending: Sending = {}): Promise<Delivery[]> {
		const sent = this.#queue.then(() => this.#send(file, sending));
		this.#queue = sent.catch(() => {});
		return sent;
	}

	async #send(file: File, { signal, onProgress }: Sending): Promise<Delivery[]> {
		if (file.size > LARGEST) throw new RangeError(`it is larger than ${LARGEST / 1024 / 1024} MB`);
		signal?.throwIfAborted();
		const content = new Uint8Array(await file.arrayBuffer());
		const sha256 = await digestOf(content);
		if (this.#listening.size === 0) throw new Error('nobody is here to take it');
		const present = { id: crypto.randomUUID(), name: shorten(file.name || 'file'), size: content.byteLength, sha256 };
		this.#begin(present);
		const deliveries = [...this.#deliveries.values()];
		const report = () => onProgress?.(this.#confirmed(), deliveries);
		const wake = () => this.#wake();
		signal?.addEventListener('abort', wake);
		try {
			for (let sent = 0; sent < present.size && this.#waiting().length > 0; sent += CHUNK) {
				await this.#until(() => sent - this.#confirmed() < WINDOW, report, signal);
				this.#outlet.send(content.subarray(sent, sent + CHUNK));
			}
			await this.#until(() => this.#waiting().length === 0, report, signal);
			return deliveries;
		} catch (error) {
			if (signal?.aborted) this.#outlet.send(JSON.stringify({ cancel: present.id }));
			throw error;
		} finally {
			signal?.removeEventListener('abort', wake);
			this.#present = null;
		}
	}

	#begin(offer: Offer): void {
		this.#present = offer;
		const deliveries = [...this.#listening].map(([id, peer]): [string, Delivery] => {
			return [id, { peer, bytes: 0, outcome: 'waiting' }];
		});
		this.#deliveries = new Map(deliveries);
		this.#outlet.send(JSON.stringify(offer));
	}

	async #until(condition: () => boolean, report: () => void, signal: AbortSignal | undefined): Promise<void> {
		signal?.throwIfAborted();
		report();
		while (!condition()) {
			const told = await this.#news();
			signal?.throwIfAborted();
			if (!told) this.#giveUpSlowest();
			report();
		}
	}

	/** Resolves with true when a receiver says something or leaves, with false when all are silent. */
	#news(): Promise<boolean> {
		return new Promise((resolve) => {
			const timer = setTimeout(() => resolve(false), this.#silence);
			this.#wake = () => {
				clearTimeout(timer);
				resolve(true);
			};
		});
	}

	/** Those that are ahead wait for what we do not send because of these. */
	#giveUpSlowest(): void {
		const confirmed = this.#confirmed();
		for (const { peer, bytes } of this.#waiting()) {
			if (bytes === confirmed) this.#settle(peer.id, 'silent');
		}
	}

	#settle(peerId: string, outcome: Outcome): void {
		const delivery = this.#deliveries.get(peerId);
		if (!this.#present || delivery?.outcome !== 'waiting') return;
		delivery.outcome = outcome;
		this.#wake();
	}

	#waiting(): Delivery[] {
		return [...this.#deliveries.values()].filter(({ outcome }) => outcome === 'waiting');
	}

	/** Bytes that all who still take it have. */
	#confirmed(): number {
		const waiting = this.#waiting();
		return waiting.length > 0 ? Math.min(...waiting.map(({ bytes }) => bytes)) : (this.#present?.size ?? 0);
	}
}
