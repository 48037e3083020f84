/** Answers the asks that come on standard input, for peers in TypeScript. */
import { createInterface } from 'node:readline';
import type { End } from '../driver/protocol.ts';
import { answerTo, candidateLine, readyLine } from './lines.ts';

/** Serves until standard input ends. */
export async function serve(end: End, version: string): Promise<never> {
	end.oncandidate = (candidate) => console.log(candidateLine(candidate));
	console.log(readyLine(version));
	for await (const line of createInterface(process.stdin)) void answerTo(end, line).then(console.log);
	process.exit();
}
