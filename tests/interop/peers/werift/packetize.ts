/** Encoded frames as payloads of RTP packets. */

const MTU = 1_100;
const FU_A = 28;
const START_CODE = Buffer.from([0, 0, 1]);

export function packetize(codec: 'opus' | 'VP8' | 'H264', frame: Buffer): Buffer[] {
	if (codec === 'opus') return [frame];
	return codec === 'VP8' ? packetizeVp8(frame) : nalUnitsOf(frame).flatMap(packetizeNalUnit);
}

/** @see https://www.rfc-editor.org/rfc/rfc7741#section-4.2 */
function packetizeVp8(frame: Buffer): Buffer[] {
	const [first, later] = [Buffer.from([0x10]), Buffer.from([0])];
	return piecesOf(frame).map((piece, index) => Buffer.concat([index === 0 ? first : later, piece]));
}

/** Single NAL unit packets, and FU-A for what is larger. @see https://www.rfc-editor.org/rfc/rfc6184#section-5.8 */
function packetizeNalUnit(unit: Buffer): Buffer[] {
	if (unit.length <= MTU) return [unit];
	const [header, body] = [unit[0]!, unit.subarray(1)];
	const pieces = piecesOf(body);
	return pieces.map((piece, index) => {
		const start = index === 0 ? 0x80 : 0;
		const end = index === pieces.length - 1 ? 0x40 : 0;
		return Buffer.concat([Buffer.from([(header & 0xe0) | FU_A, start | end | (header & 0x1f)]), piece]);
	});
}

/** The units of Annex B, without their start codes. */
function nalUnitsOf(frame: Buffer): Buffer[] {
	const units: Buffer[] = [];
	for (let start = frame.indexOf(START_CODE); start >= 0; ) {
		const next = frame.indexOf(START_CODE, start + 3);
		let end = next < 0 ? frame.length : next;
		// A start code of four bytes begins with a zero more.
		while (next >= 0 && frame[end - 1] === 0) end--;
		units.push(frame.subarray(start + 3, end));
		start = next;
	}
	return units;
}

function piecesOf(data: Buffer): Buffer[] {
	const count = Math.ceil(data.length / MTU);
	return Array.from({ length: count }, (_, index) => data.subarray(index * MTU, (index + 1) * MTU));
}
