import { JsepError, type Problem, SdpError } from '../jsep/index.ts';
import { RTCError } from './RTCError.ts';

/** The exception that a problem of negotiation is, as the API has it. */
export function toException(problem: Problem): DOMException {
	if (problem.name !== 'RTCError') return new DOMException(problem.message, problem.name);
	return new RTCError({ errorDetail: problem.errorDetail, sdpLineNumber: problem.line }, problem.message);
}

/** Runs a pure function of negotiation, turning its errors into the API's. */
export function negotiating<T>(work: () => T): T {
	try {
		return work();
	} catch (error) {
		if (error instanceof JsepError) throw toException(error.problem);
		if (error instanceof SdpError) {
			throw new RTCError({ errorDetail: 'sdp-syntax-error', sdpLineNumber: error.line }, error.message);
		}
		throw error;
	}
}

export function invalidState(message: string): DOMException {
	return new DOMException(message, 'InvalidStateError');
}
