/** What can be wrong with a description; the API turns it into DOMException and RTCError. */

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

/** Why a description, or a list of codecs, may not be set: the DOMException that the API owes its caller, as a value. */
export interface Problem {
	name: 'InvalidAccessError' | 'InvalidModificationError' | 'OperationError';
	message: string;
}
