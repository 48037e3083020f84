/**
 * H.264's profile-level-id: three bytes in hex, profile_idc, constraint flags (profile_iop) and level_idc.
 * @see https://www.rfc-editor.org/rfc/rfc6184#section-8.1
 */

/** What libwebrtc takes a missing one for: constrained baseline, level 3.1. */
const DEFAULT = '42e01f';

interface ProfileLevel {
	profile: string;
	level: number;
	constraintSet3: boolean;
}

/**
 * Names of profiles by profile_idc and the constraint flags that matter: one profile can be said in several ways.
 * `x` in a pattern is a bit that does not matter.
 */
const PROFILES: readonly (readonly [idc: number, flags: string, profile: string])[] = [
	[0x42, 'x1xx0000', 'constrained baseline'],
	[0x4d, '1xxx0000', 'constrained baseline'],
	[0x58, '11xx0000', 'constrained baseline'],
	[0x42, 'x0xx0000', 'baseline'],
	[0x58, '10xx0000', 'baseline'],
	[0x4d, '0x0x0000', 'main'],
	[0x64, '00000000', 'high'],
	[0x64, '00001100', 'constrained high'],
	[0xf4, '00000000', 'predictive high 4:4:4'],
];

/** Whether both say the same profile; one that is malformed or unknown is like no other. */
export function sameProfile(a: string | undefined, b: string | undefined): boolean {
	const first = parseProfileLevelId(a);
	return first !== null && first.profile === parseProfileLevelId(b)?.profile;
}

/** Our profile at the lower of the two levels; both profiles are the same. */
export function answerProfileLevelId(ours: string | undefined, theirs: string | undefined): string {
	const own = ours ?? DEFAULT;
	const a = parseProfileLevelId(own);
	const b = parseProfileLevelId(theirs);
	return a && b && isLower(b, a) ? `${own.slice(0, 4)}${(theirs ?? DEFAULT).slice(4)}`.toLowerCase() : own;
}

function parseProfileLevelId(id = DEFAULT): ProfileLevel | null {
	if (!/^[\da-f]{6}$/i.test(id)) return null;
	const [idc, flags, level] = [0, 2, 4].map((start) => Number.parseInt(id.slice(start, start + 2), 16));
	const bits = flags!.toString(2).padStart(8, '0');
	const row = PROFILES.find(
		([known, mask]) => known === idc && [...mask].every((bit, i) => bit === 'x' || bit === bits[i]),
	);
	return row ? { profile: row[2], level: level!, constraintSet3: bits[3] === '1' } : null;
}

/** Level 1b is written as 11 with constraint_set3; it lies between 10 and 11. */
const isLower = (a: ProfileLevel, b: ProfileLevel): boolean => rank(a) < rank(b);
const rank = ({ level, constraintSet3 }: ProfileLevel): number => (level === 11 && constraintSet3 ? 10.5 : level);
