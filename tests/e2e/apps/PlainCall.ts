import { Call } from './Call.ts';

/** What a page's scripts find in their window. */
export interface Realm {
	RTCPeerConnection: typeof RTCPeerConnection;
}

/** A call as an application writes it without a library, in whatever realm. */
export class PlainCall extends Call {
	readonly connection: RTCPeerConnection;
	readonly #channel: RTCDataChannel;
	readonly #opened: Promise<void>;
	readonly #toPeer: (message: object) => void;

	/** @param toPeer takes what the other end's `receive` is to be given, in order */
	constructor(realm: Realm, stream: MediaStream, toPeer: (message: object) => void) {
		super();
		this.connection = new realm.RTCPeerConnection();
		for (const track of stream.getTracks()) this.connection.addTrack(track, stream);
		this.connection.addEventListener('icecandidate', ({ candidate }) => toPeer({ candidate }));
		this.connection.addEventListener('track', ({ streams: [remote] }) => this.takeTracks(remote!));
		this.#channel = this.connection.createDataChannel('data', { negotiated: true, id: 0 });
		this.#channel.binaryType = 'arraybuffer';
		this.#opened = new Promise((resolve) => this.#channel.addEventListener('open', () => resolve()));
		this.#channel.addEventListener('message', ({ data }) => this.take(data));
		this.#channel.addEventListener('close', () => this.close());
		this.#toPeer = toPeer;
	}

	async dial(): Promise<void> {
		const offer = await this.connection.createOffer();
		await this.connection.setLocalDescription(offer);
		this.#toPeer({ description: offer });
	}

	async receive(message: {
		description?: RTCSessionDescriptionInit;
		candidate?: RTCIceCandidate | null;
	}): Promise<void> {
		const { connection } = this;
		if (!message.description) return connection.addIceCandidate(message.candidate as RTCIceCandidate);
		await connection.setRemoteDescription(message.description);
		if (message.description.type !== 'offer') return;
		const answer = await connection.createAnswer();
		await connection.setLocalDescription(answer);
		this.#toPeer({ description: answer });
	}

	close(): void {
		this.connection.close();
		this.over();
	}

	protected async send(message: string | Uint8Array<ArrayBuffer>): Promise<void> {
		await this.#opened;
		this.#channel.send(message as string);
	}
}
