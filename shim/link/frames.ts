/** The frames of a session as both ends and the bridge see them; `docs/protocol.md` is the reference. */

export const VERSION = 1;
export const SUBPROTOCOL = 'aiortc-shim.v1';

/** Bytes that may be under way, unacknowledged, in one direction of a session. */
export const WINDOW = 512 * 1024;
/** Payload of a record, and of a frame that small messages share. */
export const FRAGMENT = 64 * 1024;
/** Bytes of messages that may be under way on one channel, shim to worker. */
export const CHANNEL_CREDIT = 256 * 1024;
/** No frame is larger, in either direction. */
export const MAX_FRAME = 1024 * 1024;

/** Why a WebSocket of a session was closed; the reason beside it is for a person. */
export const CloseCode = {
	/** The shim ended the session: no grace. */
	ended: 1000,
	/** Of a socket that had not said hello, when there were too many of these. */
	tryAgainLater: 1013,
	protocol: 4000,
	token: 4001,
	version: 4002,
	limit: 4003,
	unknownSession: 4004,
	replaced: 4005,
	workerDied: 4006,
	shuttingDown: 4007,
} as const;

export type Frame = string | Uint8Array<ArrayBuffer>;

export const RecordKind = { message: 1, media: 2, credit: 3 } as const;
/** `givenUp`, down: nothing more follows, and the fragments that came are void. */
export const MessageFlag = { text: 1, more: 2, givenUp: 4 } as const;
/** A chunk without `continues` begins a frame: what was incomplete before it was cut off with its socket. */
export const MediaFlag = { more: 1, continues: 2 } as const;
/** The amount replaces the credit, rather than adding to it: said by the shim after a resume, since media is not resent. */
export const CreditFlag = { absolute: 1 } as const;

export const RECORD_HEADER = 12;

/** A record of a binary frame; the payload is a view of the frame. */
export interface WireRecord {
	kind: number;
	flags: number;
	object: number;
	payload: Uint8Array<ArrayBuffer>;
}

/** A frame that is not of the protocol; the session closes with 4000 and this message. */
export class ProtocolError extends Error {
	override readonly name = 'ProtocolError';
}

/** Bytes of a frame in the window: of a string, its UTF-8. */
export function frameSize(frame: Frame): number {
	return typeof frame === 'string' ? utf8Length(frame) : frame.byteLength;
}

/** Whether both ends count the frame, so that it is acknowledged and, after a cut, sent again. */
export function isCounted(frame: string | Uint8Array): boolean {
	if (typeof frame !== 'string') return frame[0] !== RecordKind.media;
	return !(frame.startsWith('{"ack":') || frame.startsWith('{"ping":') || frame.startsWith('{"pong":'));
}

/** The number in `{"ack":n}`, or null when the text frame is not an acknowledgement. */
export function parseAck(text: string): number | null {
	return parseNumbered(text, '{"ack":');
}

/** The number in `{"ping":n}`, or null when the text frame is not a ping. */
export function parsePing(text: string): number | null {
	return parseNumbered(text, '{"ping":');
}

/** The number in `{"pong":n}`, or null when the text frame is not its answer. */
export function parsePong(text: string): number | null {
	return parseNumbered(text, '{"pong":');
}

function parseNumbered(text: string, start: string): number | null {
	if (!text.startsWith(start)) return null;
	const digits = text.slice(start.length, -1);
	const number = Number(digits);
	if (!/^\d+$/.test(digits) || !text.endsWith('}') || !Number.isSafeInteger(number)) {
		// What is there instead is the sender's own bytes, which go into no log and no reason.
		throw new ProtocolError(`a frame that begins with ${start} and is not ${start}n}`);
	}
	return number;
}

/** Writes a record's header at `offset`; the payload follows it. */
export function writeRecordHeader(
	view: DataView,
	offset: number,
	kind: number,
	flags: number,
	object: number,
	length: number,
): void {
	view.setUint8(offset, kind);
	view.setUint8(offset + 1, flags);
	view.setUint16(offset + 2, 0);
	view.setUint32(offset + 4, object);
	view.setUint32(offset + 8, length);
}

/**
 * The records of a binary frame, in order.
 *
 * @throws {ProtocolError} a record that is cut short, of an unknown kind, or larger than a fragment
 */
export function parseRecords(frame: Uint8Array<ArrayBuffer>): WireRecord[] {
	const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
	const records: WireRecord[] = [];
	let offset = 0;
	do {
		if (offset + RECORD_HEADER > frame.byteLength) throw new ProtocolError('a record whose header is cut short');
		const kind = view.getUint8(offset);
		const length = view.getUint32(offset + 8);
		if (kind < RecordKind.message || kind > RecordKind.credit) throw new ProtocolError(`a record of kind ${kind}`);
		if (length > FRAGMENT) throw new ProtocolError(`a record of ${length} bytes; at most ${FRAGMENT} are allowed`);
		const start = offset + RECORD_HEADER;
		offset = start + length;
		if (offset > frame.byteLength) throw new ProtocolError(`a record of ${length} bytes that is cut short`);
		records.push({
			kind,
			flags: view.getUint8(start - RECORD_HEADER + 1),
			object: view.getUint32(start - RECORD_HEADER + 4),
			payload: frame.subarray(start, offset),
		});
	} while (offset < frame.byteLength);
	return records;
}

/** Bytes of `text` in UTF-8, a lone surrogate being the three of U+FFFD. */
function utf8Length(text: string): number {
	let length = text.length;
	for (let i = 0; i < text.length; i++) {
		const unit = text.charCodeAt(i);
		if (unit < 0x80) continue;
		if (unit < 0x800) {
			length += 1;
			continue;
		}
		length += 2;
		// Of a pair, each half is one unit of a four-byte character: 2 + 2.
		if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) i++;
	}
	return length;
}
