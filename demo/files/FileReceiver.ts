import { digestOf, type FileReceipt } from '../receipts.ts';
import type { PeerInfo } from '../signalling.ts';
import { type Cancel, LARGEST, type Offer, parseOffer, REPORT } from './offer.ts';

/** A file that a peer sends us. */
export interface Incoming extends Offer {
	peer: PeerInfo;
}

export interface FileReceiverListener {
	/** Says to the room what was received. */
	reply(receipt: FileReceipt): unknown;
	onOffer?(file: Incoming): void;
	/** @param bytes received so far */
	onProgress?(file: Incoming, bytes: number): void;
	/** All of it is here, and has the digest that its sender said. */
	onWhole?(file: Incoming, content: Blob): void;
	/** @param reason what goes on after "it was not received:" */
	onFailed?(file: Incoming, reason: string): void;
}

interface Arriving {
	file: Incoming;
	chunks: ArrayBuffer[];
	bytes: number;
	reported: number;
}

/** Puts together what comes on the channels `files`: one file at a time of each peer. */
export class FileReceiver {
	readonly #listener: FileReceiverListener;
	readonly #arriving = new Map<string, Arriving>();

	constructor(listener: FileReceiverListener) {
		this.#listener = listener;
	}

	/** Takes a message of a peer's channel `files`; what is none of ours is passed over. */
	take(data: string | ArrayBuffer, peer: PeerInfo): void {
		const offer = parseOffer(data);
		if (typeof data !== 'string') this.#takeChunk(data, peer);
		else if (offer) this.#takeOffer(offer, peer);
	}

	/** Nothing more comes of this peer. */
	forget(peer: PeerInfo): void {
		this.#abandon(peer, `${peer.name} left`);
	}

	/** Nothing more comes of anybody. */
	close(): void {
		for (const { file } of [...this.#arriving.values()]) this.#abandon(file.peer, 'the room was left');
	}

	#takeOffer(offer: Offer | Cancel, peer: PeerInfo): void {
		this.#abandon(peer, `${peer.name} gave it up`);
		if ('cancel' in offer) return;
		const file = { ...offer, peer };
		if (file.size > LARGEST) {
			this.#reply(file, 0, { refused: 'it is too large' });
			return;
		}
		this.#listener.onOffer?.(file);
		const arriving = { file, chunks: [], bytes: 0, reported: 0 };
		if (file.size === 0) void this.#finish(arriving);
		else this.#arriving.set(peer.id, arriving);
	}

	#takeChunk(chunk: ArrayBuffer, peer: PeerInfo): void {
		const arriving = this.#arriving.get(peer.id);
		// The rest of a file that began before we listened, or that was refused.
		if (!arriving) return;
		const { file } = arriving;
		arriving.bytes += chunk.byteLength;
		if (arriving.bytes > file.size) {
			this.#reply(file, arriving.bytes, { refused: 'it is longer than was said' });
			this.#abandon(peer, 'it is longer than was said');
			return;
		}
		arriving.chunks.push(chunk);
		this.#listener.onProgress?.(file, arriving.bytes);
		if (arriving.bytes === file.size) {
			this.#arriving.delete(peer.id);
			void this.#finish(arriving);
		} else if (arriving.bytes - arriving.reported >= REPORT) {
			arriving.reported = arriving.bytes;
			this.#reply(file, arriving.bytes);
		}
	}

	async #finish({ file, chunks, bytes }: Arriving): Promise<void> {
		// What a stranger sent is no page or picture of ours, whatever its name says: it can be saved, not opened.
		const content = new Blob(chunks, { type: 'application/octet-stream' });
		const sha256 = await digestOf(new Uint8Array(await content.arrayBuffer()));
		this.#reply(file, bytes, { sha256 });
		if (sha256 === file.sha256) this.#listener.onWhole?.(file, content);
		else this.#listener.onFailed?.(file, 'its digest is another than its sender’s');
	}

	#abandon(peer: PeerInfo, reason: string): void {
		const arriving = this.#arriving.get(peer.id);
		if (!arriving) return;
		this.#arriving.delete(peer.id);
		this.#listener.onFailed?.(arriving.file, reason);
	}

	#reply({ id, peer }: Incoming, bytes: number, more: Partial<FileReceipt> = {}): void {
		this.#listener.reply({ from: peer.id, type: 'file', id, bytes, ...more });
	}
}
