import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** Characters of a line that are kept: a process that never ends one must not fill this one's memory. */
const MOST = 16 * 1024;

/** Calls back with each line of a stream, without its end; of one that is longer, with its beginning. */
export function readLines(stream: Readable, online: (line: string) => void): void {
	const decoder = new StringDecoder('utf8');
	let begun = '';
	stream.on('data', (chunk: Buffer) => {
		const [first, ...rest] = decoder.write(chunk).split('\n');
		begun = (begun + first).slice(0, MOST);
		for (const next of rest) {
			online(begun.replace(/\r$/, ''));
			begun = next.slice(0, MOST);
		}
	});
	stream.on('end', () => begun && online(begun));
	// What cannot be read any more ends with the process.
	stream.on('error', () => {});
}
