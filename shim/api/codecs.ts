import type { CodecCapability } from '../jsep/index.ts';

/** Parameters that each side sets for itself: they need not be equal for two codecs to be the same. */
const asymmetrical: Record<string, readonly string[]> = {
	'audio/opus': [
		'cbr',
		'maxaveragebitrate',
		'maxplaybackrate',
		'minptime',
		'ptime',
		'sprop-maxcapturerate',
		'sprop-stereo',
		'stereo',
		'usedtx',
		'useinbandfec',
	],
	'video/h264': ['level-asymmetry-allowed', 'max-br', 'max-fs', 'max-mbps', 'sprop-parameter-sets'],
	'video/vp8': ['max-fr', 'max-fs'],
};

/**
 * Whether two codecs are the same.
 *
 * @param ignoreAsymmetrical whether parameters that each side sets for itself may differ
 * @see https://www.w3.org/TR/webrtc/#dfn-codec-dictionary-match
 */
export function matchesCodec(first: CodecCapability, second: CodecCapability, ignoreAsymmetrical = false): boolean {
	// 1. – 3.
	const mimeType = first.mimeType.toLowerCase();
	if (mimeType !== second.mimeType.toLowerCase()) return false;
	if (first.clockRate !== second.clockRate || first.channels !== second.channels) return false;
	// 4.
	const [one, other] = [first.sdpFmtpLine, second.sdpFmtpLine];
	if (one === undefined || other === undefined) return one === other;
	// 5.1
	const [a, b] = [keyValues(one), keyValues(other)];
	if (!a || !b) return one === other;
	// 5.2 – 5.4
	if (mimeType === 'video/h264' && ignoreAsymmetrical) dropH264Level(a, b);
	const ignored = ignoreAsymmetrical ? (asymmetrical[mimeType] ?? []) : [];
	const names = [...new Set([...a.keys(), ...b.keys()])].filter((name) => !ignored.includes(name));
	return names.every((name) => a.get(name) === b.get(name));
}

function keyValues(fmtp: string): Map<string, string> | null {
	const entries = fmtp.split(';').map((part) => part.trim().toLowerCase());
	if (entries.some((entry) => !/^[^=\s]+=\S*$/.test(entry))) return null;
	return new Map(entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
}

/** The last byte of profile-level-id is the level, which may differ; the profile may not. */
function dropH264Level(...codecs: Map<string, string>[]): void {
	for (const codec of codecs) {
		const id = codec.get('profile-level-id');
		if (id) codec.set('profile-level-id', id.slice(0, 4));
	}
}
