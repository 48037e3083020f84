import { MediaFlag, MessageFlag, ProtocolError, type WireRecord } from '../link/frames.ts';
import type { MediaHeader } from './types.ts';

const decoder = new TextDecoder();

/** Puts the fragments of channel messages together. */
export class MessageAssembly {
	#parts: Uint8Array<ArrayBuffer>[] = [];

	/** The message that `record` completes, in bytes of its own; else null. */
	take({ flags, payload }: WireRecord): string | Uint8Array<ArrayBuffer> | null {
		if (flags & MessageFlag.more) {
			// A copy: the frame may be used again once it was acknowledged, which does not wait for the last fragment.
			this.#parts.push(payload.slice());
			return null;
		}
		const text = (flags & MessageFlag.text) !== 0;
		if (this.#parts.length === 0) return text ? decoder.decode(payload) : payload.slice();
		const whole = concat([...this.#parts, payload]);
		this.#parts = [];
		return text ? decoder.decode(whole) : whole;
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
