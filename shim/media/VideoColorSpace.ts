import * as idl from '../webidl/convert.ts';
import { defineInterface } from '../webidl/interface.ts';

const PRIMARIES = ['bt709', 'bt470bg', 'smpte170m', 'bt2020', 'smpte432'] as const;
const TRANSFERS = ['bt709', 'smpte170m', 'iec61966-2-1', 'linear', 'pq', 'hlg'] as const;
const MATRICES = ['rgb', 'bt709', 'bt470bg', 'smpte170m', 'bt2020-ncl'] as const;

const initMembers = idl.dictionary({
	primaries: idl.optional(idl.nullable(idl.enumeration('VideoColorPrimaries', PRIMARIES))),
	transfer: idl.optional(idl.nullable(idl.enumeration('VideoTransferCharacteristics', TRANSFERS))),
	matrix: idl.optional(idl.nullable(idl.enumeration('VideoMatrixCoefficients', MATRICES))),
	fullRange: idl.optional(idl.nullable(idl.boolean)),
});

/**
 * What the numbers of a picture mean.
 * @see https://www.w3.org/TR/webcodecs/#videocolorspace
 */
export class VideoColorSpace {
	readonly #init: VideoColorSpaceInit;

	/** @throws {TypeError} a member is no such name */
	constructor(init: VideoColorSpaceInit = {}) {
		const { primaries = null, transfer = null, matrix = null, fullRange = null } = initMembers(init, 'init');
		this.#init = { primaries, transfer, matrix, fullRange } as VideoColorSpaceInit;
	}

	get primaries(): VideoColorPrimaries | null {
		return this.#init.primaries!;
	}

	get transfer(): VideoTransferCharacteristics | null {
		return this.#init.transfer!;
	}

	get matrix(): VideoMatrixCoefficients | null {
		return this.#init.matrix!;
	}

	get fullRange(): boolean | null {
		return this.#init.fullRange!;
	}

	toJSON(): VideoColorSpaceInit {
		return { ...this.#init };
	}
}

/** @see https://www.w3.org/TR/webcodecs/#srgb-color-space */
export const SRGB = { primaries: 'bt709', transfer: 'iec61966-2-1', matrix: 'rgb', fullRange: true } as const;
/** @see https://www.w3.org/TR/webcodecs/#rec709-color-space */
export const REC709 = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709', fullRange: false } as const;
/** What WebRTC's pictures are in; hosts would take them for BT.709 otherwise. */
export const BT601 = { primaries: 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m', fullRange: false } as const;

defineInterface(VideoColorSpace);
