/** What can be wrong with a description, as values; the API turns them into DOMException and RTCError. */

/** A line that is not SDP, or not where SDP has it. */
export class SdpError extends Error {
	/** From 1. */
	readonly line: number;

	constructor(line: number, message: string) {
		super(`line ${line}: ${message}`);
		this.name = 'SdpError';
		this.line = line;
	}
}

export type Problem =
	| {
			name: 'InvalidAccessError' | 'InvalidModificationError' | 'InvalidStateError' | 'OperationError';
			message: string;
	  }
	| { name: 'RTCError'; errorDetail: 'sdp-syntax-error'; line: number; message: string };

/** Carries a Problem out of a builder; `problem` says which exception the API owes its caller. */
export class JsepError extends Error {
	readonly problem: Problem;

	constructor(problem: Problem) {
		super(problem.message);
		this.name = 'JsepError';
		this.problem = problem;
	}
}
