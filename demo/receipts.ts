/**
 * Whoever gets a message on the channel `chat` says on `receipts` what it got, so that its sender can tell it is whole;
 * whoever gets a file on `files` says so, too, and how far it is.
 */

export const CHAT = 'chat';
export const FILES = 'files';
export const RECEIPTS = 'receipts';

export interface Receipt {
	/** The id of the peer that sent the message. */
	from: string;
	type: 'text' | 'binary';
	bytes: number;
	/** Of the bytes, hexadecimal. */
	sha256: string;
}

export interface FileReceipt {
	/** The id of the peer that sends the file. */
	from: string;
	type: 'file';
	/** Its sender's name for it. */
	id: string;
	/** So far. */
	bytes: number;
	/** Of what was received, once that is all. */
	sha256?: string;
	/** Why it is not taken. */
	refused?: string;
}

export async function receiptOf(data: string | ArrayBuffer | Uint8Array<ArrayBuffer>, from: string): Promise<Receipt> {
	const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data);
	const type = typeof data === 'string' ? 'text' : 'binary';
	return { from, type, bytes: bytes.byteLength, sha256: await digestOf(bytes) };
}

/** SHA-256, hexadecimal. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
	const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
	return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Whether two receipts are of the same message. */
export function sameMessage(a: Receipt, b: Receipt): boolean {
	return a.from === b.from && a.type === b.type && a.bytes === b.bytes && a.sha256 === b.sha256;
}

/** What a peer said on `receipts`; null when it is none. */
export function parseReceipt(data: string | ArrayBuffer): Receipt | FileReceipt | null {
	const fields = parseObject(data);
	if (!fields) return null;
	const { from, type, bytes, sha256, id, refused } = fields;
	if (typeof from !== 'string' || !isCount(bytes)) return null;
	if (type === 'text' || type === 'binary') return isDigest(sha256) ? { from, type, bytes, sha256 } : null;
	if (type !== 'file' || typeof id !== 'string') return null;
	if (sha256 !== undefined && !isDigest(sha256)) return null;
	if (refused !== undefined && typeof refused !== 'string') return null;
	return { from, type, id, bytes, sha256, refused: refused?.slice(0, 200) };
}

/** The fields of a JSON object; null when the message is none. */
export function parseObject(data: string | ArrayBuffer): Record<string, unknown> | null {
	if (typeof data !== 'string') return null;
	try {
		const value: unknown = JSON.parse(data);
		return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
	} catch {
		return null;
	}
}

export function isCount(value: unknown): value is number {
	return Number.isSafeInteger(value) && (value as number) >= 0;
}

export function isDigest(value: unknown): value is string {
	return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}
