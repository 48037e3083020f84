import { type Problem, SdpError } from '../jsep/index.ts';
import { RTCError } from './RTCError.ts';

/** The exception that a problem of negotiation is, as the API has it. */
export function toException({ name, message }: Problem): DOMException {
	return new DOMException(message, name);
}

/** Runs a pure function of negotiation, turning its errors into the API's. */
export function negotiating<T>(work: () => T): T {
	try {
		return work();
	} catch (error) {
		if (error instanceof SdpError) {
			throw new RTCError({ errorDetail: 'sdp-syntax-error', sdpLineNumber: error.line }, error.message);
		}
		throw error;
	}
}

export function invalidState(message: string): DOMException {
	return new DOMException(message, 'InvalidStateError');
}
