import type { Description } from './description.ts';

/** The text of a description, each line ending in CRLF. */
export function write(description: Description): string {
	throw new Error(description.sessionId);
}
