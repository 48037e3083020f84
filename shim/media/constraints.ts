/**
 * What getUserMedia takes beyond the specification: where the media comes from.
 *
 * ```ts
 * // A moving test picture with the number 7 burnt in, and a tone of 440 Hz.
 * await navigator.mediaDevices.getUserMedia({ video: { code: 7 }, audio: { frequency: 440 } });
 * // A file, in lip-sync, for ever.
 * const file = { sourceType: 'file', source: 'talk.webm', loop: true } as const;
 * await navigator.mediaDevices.getUserMedia({ audio: file, video: file });
 * ```
 */

import * as idl from '../webidl/convert.ts';
import type { Kind } from './MediaStreamTrack.ts';
import { OverconstrainedError } from './OverconstrainedError.ts';

/** `test`: a generated picture or tone; `file`: a media file; `url`: one over http(s); `device`: a camera or microphone. */
export type SourceType = 'test' | 'file' | 'url' | 'device';

export interface SourceConstraints {
	/** What feeds the track; `test` unless said. Everything but `test` asks for a token with the capability of its name. */
	sourceType?: SourceType;
	/** A path on the worker's machine (or a `file:` URL), an http(s) URL, or a device; the first device unless said. */
	source?: string;
	/** Whether a file begins again at its end, without a seam; else the track ends. */
	loop?: boolean;
	/** Of the test tone, in Hz: 20 to 20000; 440 unless said. */
	frequency?: number;
	/** A number burnt into the test picture, beside a counter of its frames: 0 to 65535; 0 unless said. */
	code?: number;
}

declare global {
	interface MediaTrackConstraintSet extends SourceConstraints {}
	interface MediaTrackSettings extends SourceConstraints {}
}

/** Constraints of one kind, as far as they choose and shape a source. */
export interface SourceRequest {
	kind: Kind;
	type: SourceType;
	source?: string;
	loop: boolean;
	/** For the worker; what is left out is its own choice. */
	shape: Shape;
	/** What the program gave, for getConstraints. */
	constraints: MediaTrackConstraints;
}

/** Numbers that shape a source; the names are the constraints'. */
export type Shape = Partial<Record<keyof typeof ranges, number>>;

interface Range {
	min: number;
	max: number;
	/** What a test source takes unless asked. */
	usual: number;
	/** What values must be a multiple of; 0: any. */
	step: number;
}

/** What test sources can be asked for. Pictures are I420: sizes are even. */
export const ranges = {
	width: { min: 32, max: 3840, usual: 640, step: 2 },
	height: { min: 32, max: 2160, usual: 480, step: 2 },
	frameRate: { min: 1, max: 60, usual: 30, step: 0 },
	code: { min: 0, max: 65_535, usual: 0, step: 1 },
	sampleRate: { min: 48_000, max: 48_000, usual: 48_000, step: 1 },
	channelCount: { min: 1, max: 2, usual: 1, step: 1 },
	frequency: { min: 20, max: 20_000, usual: 440, step: 0 },
} as const satisfies Record<string, Range>;

/** The names in `ranges` that make sense for a kind. */
export const shapeNames: Record<Kind, readonly (keyof typeof ranges)[]> = {
	audio: ['sampleRate', 'channelCount', 'frequency'],
	video: ['width', 'height', 'frameRate', 'code'],
};

const sourceMembers = idl.dictionary({
	sourceType: idl.defaulted<SourceType>(idl.enumeration('SourceType', ['test', 'file', 'url', 'device']), () => 'test'),
	source: idl.optional(idl.domString),
	loop: idl.defaulted(idl.boolean, () => false),
});

/**
 * Reads the constraints of one kind.
 *
 * @throws {TypeError} a member has the wrong type, or a file or url comes without `source`
 * @throws {OverconstrainedError} the test source cannot meet a required constraint
 */
export function parseConstraints(kind: Kind, constraints: MediaTrackConstraints): SourceRequest {
	const { sourceType: type, source, loop } = sourceMembers(constraints, kind);
	if (source === undefined && (type === 'file' || type === 'url')) {
		throw new TypeError(`${kind}: sourceType '${type}' needs a source`);
	}
	const entries = shapeNames[kind].map((name) => [name, shapeOf(name, constraints[name], type)] as const);
	const shape: Shape = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
	return { kind, type, source, loop, shape, constraints: copyConstraints(constraints) };
}

/** A copy that the program cannot change afterwards; of reactive proxies too, which structuredClone refuses. */
export function copyConstraints<T>(constraints: T): T {
	if (Array.isArray(constraints)) return constraints.map(copyConstraints) as T;
	if (typeof constraints !== 'object' || constraints === null) return constraints;
	return Object.fromEntries(Object.entries(constraints).map(([name, value]) => [name, copyConstraints(value)])) as T;
}

/** A constraint on a number: a bare one is ideal. */
export interface NumberConstraint {
	exact?: number;
	ideal?: number;
	min?: number;
	max?: number;
}

const numberMembers = idl.dictionary({
	exact: idl.optional(idl.double),
	ideal: idl.optional(idl.double),
	min: idl.optional(idl.double),
	max: idl.optional(idl.double),
});

/** @throws {TypeError} it is neither a number nor a dictionary of numbers */
export function numberConstraint(value: unknown, name: string): NumberConstraint {
	return idl.isObject(value) ? numberMembers(value, name) : { ideal: idl.double(value, name) };
}

function shapeOf(name: keyof typeof ranges, value: unknown, type: SourceType): number | undefined {
	if (value === undefined) return type === 'test' ? ranges[name].usual : undefined;
	const constraint = numberConstraint(value, name);
	if (type === 'test') return choose(name, constraint);
	// A file has the size it has, which is checked when it is open; a device is asked for what is wanted, and checked too.
	const wanted = type === 'device' ? (constraint.exact ?? constraint.ideal) : undefined;
	return wanted === undefined ? undefined : within(ranges[name], wanted);
}

function within({ min, max, step }: Range, value: number): number {
	const stepped = step ? Math.round(value / step) * step : value;
	return Math.min(Math.max(stepped, min), max);
}

function choose(name: keyof typeof ranges, { exact, ideal, min, max }: NumberConstraint): number {
	const range: Range = ranges[name];
	const low = Math.max(range.min, min ?? range.min, exact ?? range.min);
	const high = Math.min(range.max, max ?? range.max, exact ?? range.max);
	const wanted = Math.min(Math.max(exact ?? ideal ?? range.usual, low), high);
	const chosen = range.step ? Math.ceil(wanted / range.step) * range.step : wanted;
	if (low <= chosen && chosen <= high) return chosen;
	throw new OverconstrainedError(name, `The test source has ${name} ${range.min} to ${range.max}`);
}
