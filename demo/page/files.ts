/** The files that this page sends and gets, as cards in its chat. */
import { FileReceiver, type Incoming } from '../files/FileReceiver.ts';
import { type Delivery, FileSender, type Outlet } from '../files/FileSender.ts';
import type { FileReceipt } from '../receipts.ts';
import { type Chat, FileCard } from './chat.ts';
import { copyOf } from './dom.ts';
import { inWords, sizeInWords } from './words.ts';

/** Bytes of received files that are kept to be saved; the oldest go. */
const KEPT = 256 * 1024 * 1024;

export class Files {
	readonly receiver: FileReceiver;
	readonly sender: FileSender;
	/** There once it is open. */
	#channel: Outlet | null = null;
	readonly #left = new AbortController();
	readonly #chat: Chat;
	readonly #cards = new Map<string, FileCard>();
	readonly #kept: { bytes: number; forget: () => void }[] = [];

	constructor(chat: Chat, reply: (receipt: FileReceipt) => void) {
		this.#chat = chat;
		this.sender = new FileSender({ send: (data) => this.#channel?.send(data) });
		this.receiver = new FileReceiver({
			reply,
			onOffer: (file) => this.#cards.set(keyOf(file), this.#card(file.name, file.size, file.peer.name)),
			onProgress: (file, bytes) => this.#cards.get(keyOf(file))?.progress(bytes / file.size, percent(bytes, file.size)),
			onWhole: (file, content) => this.#onwhole(file, content),
			onFailed: (file, reason) => this.#take(file)?.end(false, `Not received: ${reason}.`),
		});
	}

	/** Files can be sent from now on. */
	open(channel: Outlet): void {
		this.#channel = channel;
	}

	/** The room is left: what is on its way does not arrive. */
	close(): void {
		this.#channel = null;
		this.#left.abort(new Error('the room was left'));
		this.receiver.close();
	}

	/** Sends each to everyone in the room. */
	send(files: Iterable<File>): void {
		for (const file of files) void this.#send(file);
	}

	async #send(file: File): Promise<void> {
		if (!this.#channel) return;
		const card = this.#card(file.name, file.size);
		const stop = new AbortController();
		card.onCancel(() => stop.abort(new Error('you cancelled it')));
		const onProgress = (bytes: number) => card.progress(bytes / Math.max(file.size, 1), percent(bytes, file.size));
		try {
			const signal = AbortSignal.any([stop.signal, this.#left.signal]);
			const deliveries = await this.sender.send(file, { signal, onProgress });
			card.end(
				deliveries.some(({ outcome }) => outcome === 'whole'),
				deliveries.map(outcomeInWords).join(' '),
			);
		} catch (error) {
			card.end(false, `Not sent: ${inWords(error).replace(/^\w/, (letter) => letter.toLowerCase())}`);
		}
	}

	#onwhole(file: Incoming, content: Blob): void {
		const card = this.#take(file);
		if (!card) return;
		card.end(true, 'Whole: its digest is the one that its sender said.');
		this.#kept.push({ bytes: file.size, forget: card.offer(file.name, content) });
		let bytes = this.#kept.reduce((sum, kept) => sum + kept.bytes, 0);
		while (bytes > KEPT) {
			const oldest = this.#kept.shift()!;
			bytes -= oldest.bytes;
			oldest.forget();
		}
	}

	/** @param from who sends it, when it is not this page */
	#card(name: string, size: number, from?: string): FileCard {
		const card = new FileCard(copyOf('file'), from ?? 'You', name, sizeInWords(size), from === undefined);
		this.#chat.add(card.item);
		return card;
	}

	#take(file: Incoming): FileCard | undefined {
		const card = this.#cards.get(keyOf(file));
		this.#cards.delete(keyOf(file));
		return card;
	}
}

function keyOf({ id, peer }: Incoming): string {
	return `${peer.id} ${id}`;
}

function percent(bytes: number, size: number): string {
	return `${size === 0 ? 100 : Math.floor((bytes / size) * 100)} %`;
}

function outcomeInWords({ peer, outcome, reason }: Delivery): string {
	if (outcome === 'whole') return `✓ ${peer.name}`;
	if (outcome === 'different') return `✗ ${peer.name} got something else.`;
	if (outcome === 'refused') return `✗ ${peer.name} did not take it: ${reason}.`;
	if (outcome === 'left') return `✗ ${peer.name} left.`;
	return `✗ ${peer.name} did not answer.`;
}
