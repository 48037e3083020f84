/** Whoever gets a message on the channel `chat` says on `receipts` what it got, so that its sender can tell it is whole. */

export const CHAT = 'chat';
export const RECEIPTS = 'receipts';

export interface Receipt {
	/** The id of the peer that sent the message. */
	from: string;
	type: 'text' | 'binary';
	bytes: number;
	/** Of the bytes, hexadecimal. */
	sha256: string;
}

export async function receiptOf(data: string | ArrayBuffer | Uint8Array<ArrayBuffer>, from: string): Promise<Receipt> {
	const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : new Uint8Array(data);
	const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
	const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
	return { from, type: typeof data === 'string' ? 'text' : 'binary', bytes: bytes.byteLength, sha256 };
}

/** Whether two receipts are of the same message. */
export function sameMessage(a: Receipt, b: Receipt): boolean {
	return a.from === b.from && a.type === b.type && a.bytes === b.bytes && a.sha256 === b.sha256;
}
