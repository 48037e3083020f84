import { Depth } from './Depth.ts';
import { CHANNEL_CREDIT } from './frames.ts';
import { Queue } from './Queue.ts';

export type Lane = 'audio' | 'video' | 'data';

export interface Message {
	bytes: Uint8Array<ArrayBuffer>;
	text: boolean;
}

/** Frames of the wire that carry one frame of media. */
export type Media = Iterator<Uint8Array<ArrayBuffer>, void>;

/** A string is a text frame that keeps its place among the messages. */
export type Item = string | Message | { media: Media };

/** Credit is worth a fragment when it has so many bytes; the worker gives it in steps of as many. */
const CREDIT_STEP = 16 * 1024;

/** What one object has to send, besides control. */
export class Stream {
	readonly id: number;
	readonly lane: Lane;
	readonly items = new Queue<Item>();
	/** Bytes of the first message that went as fragments. */
	sent = 0;
	/** Whether the stream is in its lane's ring: it has items, and credit for the first. */
	queued = false;
	#underWay = 0;
	readonly #depth = new Depth();
	/** What is under way, in order: bytes as positive numbers; empty messages, of which each counts one, as negative. */
	readonly #ledger: number[] = [];

	constructor(id: number, lane: Lane) {
		this.id = id;
		this.lane = lane;
	}

	/**
	 * Bytes of the first item that may go now; null when it waits for credit. An item that needs none has 0.
	 *
	 * @param sparing whether to use no more of the credit than a round trip is worth
	 */
	allowance(sparing: boolean): number | null {
		const item = this.items.peek();
		if (item === undefined) return null;
		if (typeof item === 'string' || 'media' in item) return 0;
		const credit = CHANNEL_CREDIT - this.#underWay;
		const rest = item.bytes.byteLength - this.sent;
		// A message that has begun goes on: the worker gives no credit for its first 128 KiB before they are there.
		if (sparing && this.sent === 0 && !this.#depth.admits(rest, this.#underWay)) return null;
		return credit >= Math.max(1, Math.min(rest, CREDIT_STEP)) ? Math.min(rest, credit) : null;
	}

	/** Notes that `bytes` of a message went, or an empty message. */
	went(bytes: number): void {
		if (this.#underWay === 0) this.#depth.begin();
		this.#underWay += Math.max(1, bytes);
		const last = this.#ledger.length - 1;
		const empty = bytes === 0;
		if (last >= 0 && empty === this.#ledger[last]! < 0) this.#ledger[last]! += empty ? -1 : bytes;
		else this.#ledger.push(empty ? -1 : bytes);
	}

	/** Takes a credit; returns the bytes of messages that it stands for, without what empty messages count. */
	credited(amount: number): number {
		this.#depth.end();
		let bytes = 0;
		let left = Math.min(amount, this.#underWay);
		this.#underWay -= left;
		while (left > 0) {
			const first = this.#ledger[0]!;
			const step = Math.min(left, Math.abs(first));
			left -= step;
			if (first > 0) bytes += step;
			if (step === Math.abs(first)) this.#ledger.shift();
			else this.#ledger[0] = first - Math.sign(first) * step;
		}
		return bytes;
	}
}
