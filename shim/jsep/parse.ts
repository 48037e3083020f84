import type { Description } from './description.ts';

/** @throws {SdpError} the text is not SDP, at the line it names */
export function parse(sdp: string): Description {
	throw new Error(sdp);
}
