import { type Receipt, receiptOf } from '../../../demo/receipts.ts';

type Message = string | Uint8Array<ArrayBuffer>;

/** One end of a call, whatever library makes it. */
export abstract class Call {
	/** The other end's tracks, by kind. */
	readonly remote = new Map<string, MediaStreamTrack>();
	/** Of the other end's messages, in the order in which they came. */
	readonly received: Receipt[] = [];
	/** When the library says that the call is over. */
	readonly closed: Promise<void>;
	/** What the library complained of. */
	readonly errors: string[] = [];
	protected over = (): void => {};
	/** Digests take their time: the chain keeps the messages' order. */
	#last = Promise.resolve();

	constructor() {
		this.closed = new Promise((resolve) => {
			this.over = resolve;
		});
	}

	abstract close(): void;

	/** Sends one message, when the call is there. */
	protected abstract send(message: Message): Promise<void>;

	/** Sends a text and a binary message of each size in bytes; resolves with what was sent. */
	async say(sizes: readonly number[]): Promise<Receipt[]> {
		const messages = sizes.flatMap((size): Message[] => {
			return ['ä'.repeat(size / 2), new Uint8Array(size).map((_, index) => index * size)];
		});
		for (const message of messages) await this.send(message);
		return Promise.all(messages.map((message) => receiptOf(message, '')));
	}

	protected take(message: string | ArrayBuffer | Uint8Array<ArrayBuffer>): void {
		this.#last = this.#last.then(async () => {
			this.received.push(await receiptOf(message, ''));
		});
	}

	protected takeTracks(stream: MediaStream): void {
		for (const track of stream.getTracks()) this.remote.set(track.kind, track);
	}
}
