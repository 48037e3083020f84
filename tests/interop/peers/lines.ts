/** The lines of the protocol, on whichever way they go. */
import type { Asks, End, Events } from '../driver/protocol.ts';

/** Does what a line asks for; the line to answer with. */
export async function answerTo(end: Pick<End, 'ask'>, line: string): Promise<string> {
	const { id, do: what, ...params } = JSON.parse(line) as { id: number; do: keyof Asks };
	try {
		return JSON.stringify({ id, ...(await end.ask(what, params as never)) });
	} catch (error) {
		return JSON.stringify({ id, error: String(error) });
	}
}

export function candidateLine(candidate: RTCIceCandidateInit | null): string {
	return JSON.stringify({ event: 'candidate', candidate } satisfies Events);
}

export function readyLine(version: string): string {
	return JSON.stringify({ event: 'ready', version } satisfies Events);
}
