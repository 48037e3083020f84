import * as idl from '../webidl/convert.ts';
import { type NumberConstraint, numberConstraint } from './constraints.ts';
import { OverconstrainedError } from './OverconstrainedError.ts';

const numbers = [
	'width',
	'height',
	'aspectRatio',
	'frameRate',
	'sampleRate',
	'sampleSize',
	'channelCount',
	'latency',
] as const;
const strings = ['facingMode', 'resizeMode', 'deviceId', 'groupId'] as const;
const booleans = ['echoCancellation', 'autoGainControl', 'noiseSuppression', 'voiceIsolation'] as const;

/** The names of the specification that constraints may use here. */
export const supportedConstraints: MediaTrackSupportedConstraints = Object.fromEntries(
	[...numbers, ...booleans, 'resizeMode', 'deviceId', 'groupId'].map((name) => [name, true]),
);

/**
 * The first required constraint that `settings` do not meet; null when they meet all.
 * Ideal values and `advanced` sets are wishes, and what is fixed cannot follow them.
 *
 * @throws {TypeError} a constraint has the wrong type
 * @see https://www.w3.org/TR/mediacapture-streams/#dfn-fitness-distance
 */
export function overconstrained(
	constraints: MediaTrackConstraints,
	settings: MediaTrackSettings,
): OverconstrainedError | null {
	// Looked up by name: lib.dom knows fewer of them than browsers do.
	const wanted: Readonly<Record<string, unknown>> = { ...constraints };
	const given: Readonly<Record<string, unknown>> = { ...settings };
	const unmet =
		numbers.find((name) => !meetsNumber(name, wanted[name], given[name])) ??
		[...strings, ...booleans].find((name) => !meetsExact(wanted[name], given[name]));
	return unmet ? new OverconstrainedError(unmet, `The source has ${unmet} ${given[unmet] ?? 'unset'}`) : null;
}

function meetsNumber(name: string, value: unknown, setting: unknown): boolean {
	if (value === undefined) return true;
	const { exact, min, max }: NumberConstraint = numberConstraint(value, name);
	if (exact === undefined && min === undefined && max === undefined) return true;
	if (typeof setting !== 'number') return false;
	return (exact ?? setting) === setting && (min ?? setting) <= setting && setting <= (max ?? setting);
}

function meetsExact(value: unknown, setting: unknown): boolean {
	const exact = idl.isObject(value) && 'exact' in value ? value.exact : undefined;
	if (exact === undefined) return true;
	return Array.isArray(exact) ? exact.includes(setting) : exact === setting;
}

/** The capabilities of a source that stays as it was opened: each a range of one value. */
export function capabilitiesOf(settings: MediaTrackSettings): MediaTrackCapabilities {
	const given: Readonly<Record<string, unknown>> = { ...settings };
	const fixed = numbers
		.filter((name) => given[name] !== undefined)
		.map((name) => [name, { min: given[name], max: given[name] }]);
	const { deviceId, groupId } = settings;
	return { ...Object.fromEntries(fixed), ...(deviceId === undefined ? {} : { deviceId, groupId }) };
}
