import { writeSync } from 'node:fs';
import type { Log, LogRecord } from '../../shim/link/log.ts';

/** Writes to the stderr of the program that a bridge or a shim is part of. */
export const stderrLog: Log = (record) => writeStderr(`aiortc-shim: ${withTraceback(record)}\n`);

/**
 * Writes to stderr, and drops what cannot be written. Not by the stream: once the reader of a pipe is gone, its second
 * line ends the process (`console.warn` swallows the first error alone).
 */
export function writeStderr(text: string): void {
	try {
		writeSync(2, text);
	} catch {
		// Nobody reads it.
	}
}

/** The message, and below it, indented so that no line of it can be taken for another record, its traceback. */
export function withTraceback({ message, fields }: LogRecord): string {
	return fields?.traceback ? `${message}\n${String(fields.traceback).replace(/^/gm, '    ')}` : message;
}
