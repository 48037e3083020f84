/** A file goes over the channel `files` as an offer, in JSON, and then its bytes in messages of CHUNK at most. */
import { isCount, isDigest, parseObject } from '../receipts.ts';

export interface Offer {
	/** The sender's name for this file. */
	id: string;
	name: string;
	/** Bytes. */
	size: number;
	/** Of all bytes, hexadecimal. */
	sha256: string;
}

/** The file of this id is given up. */
export interface Cancel {
	cancel: string;
}

/** Bytes of the largest file, which each receiver holds in memory. */
export const LARGEST = 64 * 1024 * 1024;
/** Bytes of one message. */
export const CHUNK = 32 * 1024;
/**
 * Bytes on their way to the slowest receiver. SFUs drop messages that a receiver does not drain; eight senders' windows
 * fit into what mediasoup holds for one.
 */
export const WINDOW = 224 * 1024;
/** Bytes after which a receiver says how far it is. */
export const REPORT = 64 * 1024;

const LONGEST_NAME = 255;

/** What a sender says: the next file, or that it gives the present one up; null when it is neither. */
export function parseOffer(data: string | ArrayBuffer): Offer | Cancel | null {
	const fields = parseObject(data);
	if (!fields) return null;
	const { id, name, size, sha256, cancel } = fields;
	if (typeof cancel === 'string') return { cancel };
	if (!isText(id, 64) || !isText(name, LONGEST_NAME) || !isCount(size) || !isDigest(sha256)) return null;
	return { id, name, size, sha256 };
}

/** A name that every receiver takes: the end of a long one tells its kind. */
export function shorten(name: string): string {
	return name.length <= LONGEST_NAME ? name : `${name.slice(0, 200)}…${name.slice(-50)}`;
}

function isText(value: unknown, longest: number): value is string {
	return typeof value === 'string' && value.length > 0 && value.length <= longest;
}
