import type { AnswerInput, Built } from './records.ts';

/**
 * The answer to `input.remote`. Transceivers were associated before (associateRemote), so that each has its mid.
 * @see https://www.rfc-editor.org/rfc/rfc9429#section-5.3
 */
export function buildAnswer(input: AnswerInput): Built {
	throw new Error(input.sessionId);
}
