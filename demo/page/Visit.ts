import type { types } from 'mediasoup-client';
import { Room } from '../client.ts';
import {
	CHAT,
	FILES,
	type FileReceipt,
	parseReceipt,
	RECEIPTS,
	type Receipt,
	receiptOf,
	sameMessage,
} from '../receipts.ts';
import type { PeerInfo } from '../signalling.ts';
import type { Capture } from './capture.ts';
import type { Charts } from './charts.ts';
import type { Chat } from './chat.ts';
import { Files } from './files.ts';
import { showState } from './status.ts';
import type { Tiles } from './tiles.ts';
import { inWords } from './words.ts';

const ROOM = 'lobby';

export interface View {
	tiles: Tiles;
	chat: Chat;
	charts: Charts;
}

/** One stay in the room: shows who and what is there, and sends what the person gives. */
export class Visit {
	/** @param onlost the stay has ended without the person wanting it */
	static async begin(name: string, view: View, onlost: (reason: string) => void): Promise<Visit> {
		const visit = new Visit(view);
		const room = await Room.join(
			{ url: location.origin, room: ROOM, name, bot: false },
			{
				onPeer: (peer) => view.tiles.add(peer),
				onPeerLeft: (peer) => visit.#onleft(peer),
				onMedia: ({ peer, track }) => view.tiles.addTrack(peer.id, track),
				onMediaEnded: ({ peer, track }) => view.tiles.removeTrack(peer.id, track),
				onMessage: (data, label, peer) => visit.#onmessage(data, label, peer),
				onListening: (label, peer) => visit.#onlistening(label, peer),
				onStanding: (standing) => showState(standing === 'new' ? 'connecting' : standing),
				onLost: (reason) => {
					visit.#end();
					onlost(reason);
				},
				onError: (error) => view.chat.addNote(inWords(error)),
			},
		);
		visit.#begin(room, name);
		return visit;
	}

	readonly files: Files;
	readonly #view: View;
	readonly #sent: { receipt: Receipt; item: HTMLElement }[] = [];
	readonly #publishing = new Map<string, { capture: Capture; producer: types.Producer }>();
	#receipts: Promise<types.DataProducer> | null = null;
	#room: Room | null = null;

	private constructor(view: View) {
		this.#view = view;
		this.files = new Files(view.chat, (receipt) => void this.#reply(receipt));
	}

	/**
	 * Sends a camera or microphone to everyone, and shows it here.
	 *
	 * @returns what is sent, for a person
	 */
	async publish(capture: Capture): Promise<string> {
		const room = this.#room!;
		const { track, what } = capture;
		try {
			const producer = await room.publish(track);
			this.#publishing.set(track.kind, { capture, producer });
		} catch (error) {
			capture.stop();
			throw error;
		}
		this.#view.tiles.addTrack(room.peerId, track);
		return what;
	}

	async unpublish(kind: 'audio' | 'video'): Promise<void> {
		const published = this.#publishing.get(kind);
		if (!published || !this.#room) return;
		this.#publishing.delete(kind);
		this.#view.tiles.removeTrack(this.#room.peerId, published.capture.track);
		published.capture.stop();
		await this.#room.unpublish(published.producer);
	}

	leave(): void {
		this.#room?.leave();
		this.#end();
	}

	#begin(room: Room, name: string): void {
		const { tiles, charts } = this.#view;
		this.#room = room;
		tiles.add({ id: room.peerId, name, bot: false }, true);
		charts.start(() => room.getStats());
		this.#receipts = room.openChannel(RECEIPTS);
		// When the room is lost before they are open, that is what is said.
		this.#openChannels(room).catch(() => {});
	}

	async #openChannels(room: Room): Promise<void> {
		const [chat, files] = await Promise.all([room.openChannel(CHAT), room.openChannel(FILES), this.#receipts]);
		this.#view.chat.onsay = (text) => void this.#say(chat, text);
		this.files.open(files);
		this.#view.chat.enabled = true;
		this.#view.chat.focus();
	}

	async #say(chat: types.DataProducer, text: string): Promise<void> {
		const item = this.#view.chat.addLine('You', text, true);
		this.#sent.push({ receipt: await receiptOf(text, this.#room!.peerId), item });
		chat.send(text);
	}

	#onmessage(data: string | ArrayBuffer, label: string, peer: PeerInfo): void {
		if (label === CHAT) void this.#hear(data, peer);
		else if (label === FILES) this.files.receiver.take(data, peer);
		else if (label === RECEIPTS) this.#confirm(parseReceipt(data), peer);
	}

	async #hear(data: string | ArrayBuffer, peer: PeerInfo): Promise<void> {
		this.#view.chat.addLine(peer.name, typeof data === 'string' ? data : `${data.byteLength} bytes`);
		await this.#reply(await receiptOf(data, peer.id));
	}

	/** Receipts are everyone's business: those of others' messages match none of ours. */
	#confirm(receipt: Receipt | FileReceipt | null, peer: PeerInfo): void {
		if (!receipt || receipt.from !== this.#room?.peerId) return;
		if (receipt.type === 'file') {
			this.files.sender.confirm(receipt, peer);
			return;
		}
		const message = this.#sent.find((candidate) => sameMessage(candidate.receipt, receipt));
		if (message) this.#view.chat.addReceipt(message.item, peer.name);
	}

	async #reply(receipt: Receipt | FileReceipt): Promise<void> {
		const channel = await this.#receipts?.catch(() => null);
		if (channel && !channel.closed) channel.send(JSON.stringify(receipt));
	}

	#onlistening(label: string, peer: PeerInfo): void {
		if (label === CHAT) this.#view.chat.addNote(`${peer.name} hears you`);
		if (label === FILES) this.files.sender.addListener(peer);
	}

	#onleft(peer: PeerInfo): void {
		this.#view.tiles.remove(peer.id);
		this.#view.chat.addNote(`${peer.name} left`);
		this.files.receiver.forget(peer);
		this.files.sender.removeListener(peer);
	}

	#end(): void {
		const { tiles, chat, charts } = this.#view;
		for (const { capture } of this.#publishing.values()) capture.stop();
		this.#publishing.clear();
		charts.stop();
		chat.enabled = false;
		chat.onsay = null;
		tiles.freeze();
		this.files.close();
	}
}
