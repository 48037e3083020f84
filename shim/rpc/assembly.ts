import { MediaFlag, MessageFlag, ProtocolError, type WireRecord } from '../link/frames.ts';
import type { MediaHeader } from './types.ts';

const decoder = new TextDecoder();

/** Bytes of a message from which most of it lies outside of V8's heap. */
const LARGE = 4096;
/** Bytes of messages that one piece of litter stands for: a larger one would not be put among the young objects. */
const PIECE = 16 * 1024;
/** Elements, of 8 bytes each, for a byte of a message: the young may have 16 MB to fill. */
const ELEMENTS = 4 / 8;

/** The latest piece: what is kept nowhere would never be made. */
export const litter: { piece: unknown[] } = { piece: [] };

/**
 * Makes garbage on V8's heap for messages that lie outside of it. V8 looks for dead young objects when these have filled
 * their space, and through its whole heap when ArrayBuffers have grown by 8 MB, counting those that are dead and not
 * found yet. Messages fill no heap: without litter their bytes bring on a full collection up to ten times a second, and
 * everything waits for it.
 */
function strew(bytes: number): void {
	for (let left = bytes; left > 0; left -= PIECE) litter.piece = new Array(Math.ceil(ELEMENTS * Math.min(left, PIECE)));
}

/** Puts the fragments of channel messages together. */
export class MessageAssembly {
	#parts: Uint8Array<ArrayBuffer>[] = [];
	/** What the fragments of text came to; null while there are none. */
	#text: { decoder: TextDecoder; string: string } | null = null;

	/** The message that `record` completes, in bytes of its own; else null. */
	take({ flags, payload }: WireRecord): string | Uint8Array<ArrayBuffer> | null {
		if (payload.byteLength >= LARGE) strew(payload.byteLength);
		if (flags & MessageFlag.givenUp) {
			this.#parts = [];
			this.#text = null;
			return null;
		}
		const more = (flags & MessageFlag.more) !== 0;
		return (flags & MessageFlag.text) !== 0 ? this.#takeText(payload, more) : this.#takeBytes(payload, more);
	}

	/** Decodes text as it comes, so that no fragment is kept beside it. */
	#takeText(payload: Uint8Array<ArrayBuffer>, more: boolean): string | null {
		if (!more && this.#text === null) return decoder.decode(payload);
		this.#text ??= { decoder: new TextDecoder(), string: '' };
		this.#text.string += this.#text.decoder.decode(payload, { stream: more });
		if (more) return null;
		const { string } = this.#text;
		this.#text = null;
		return string;
	}

	#takeBytes(payload: Uint8Array<ArrayBuffer>, more: boolean): Uint8Array<ArrayBuffer> | null {
		// A copy: the frame may be used again once it was acknowledged, which does not wait for the last fragment.
		if (more) this.#parts.push(payload.slice());
		else if (this.#parts.length === 0) return payload.slice();
		if (more) return null;
		const parts = this.#parts;
		this.#parts = [];
		return concat([...parts, payload]);
	}
}

export interface MediaFrame {
	header: MediaHeader;
	planes: Uint8Array<ArrayBuffer>;
}

/** Puts the chunks of frames of media together; media is not sent again, so a cut may have taken any of them. */
export class MediaAssembly {
	#parts: Uint8Array<ArrayBuffer>[] | null = null;

	/** The frame that `record` completes; else null. */
	take({ flags, payload }: WireRecord): MediaFrame | null {
		if (!(flags & MediaFlag.continues)) this.#parts = [];
		if (this.#parts === null) return null;
		this.#parts.push(payload);
		if (flags & MediaFlag.more) return null;
		const parts = this.#parts;
		this.#parts = null;
		return parseMedia(concat(parts));
	}

	/** Forgets a frame whose rest may be lost. */
	reset(): void {
		this.#parts = null;
	}
}

function parseMedia(bytes: Uint8Array<ArrayBuffer>): MediaFrame {
	const length = bytes.byteLength < 4 ? -1 : new DataView(bytes.buffer).getUint32(0);
	if (length < 0 || 4 + length > bytes.byteLength) throw new ProtocolError('a frame of media without its header');
	const header = JSON.parse(decoder.decode(bytes.subarray(4, 4 + length))) as MediaHeader;
	return { header, planes: bytes.subarray(4 + length) };
}

function concat(parts: Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
	const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
	let offset = 0;
	for (const part of parts) {
		whole.set(part, offset);
		offset += part.byteLength;
	}
	return whole;
}
