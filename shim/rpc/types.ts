/** The schema's types by object, call and event. */

import type { Objects } from './schema.ts';

export type ObjectType = keyof Objects & string;
export type ObjectIn<T extends ObjectType> = Objects[T]['in'];
export type CallName<T extends ObjectType> = keyof Objects[T]['calls'] & string;
export type CallIn<T extends ObjectType, M extends CallName<T>> = Objects[T]['calls'][M] extends { in: infer In }
	? In
	: never;
export type CallOut<T extends ObjectType, M extends CallName<T>> = Objects[T]['calls'][M] extends { out: infer Out }
	? Out
	: never;
export type EventName<T extends ObjectType> = keyof Objects[T]['events'] & string;
export type EventOut<T extends ObjectType, E extends EventName<T>> = Objects[T]['events'][E];

/** Ahead of the planes of a picture: Y, U and V without padding. */
export interface VideoHeader {
	/** Microseconds. */
	timestamp: number;
	/** Microseconds. */
	duration: number | null;
	format: 'I420';
	width: number;
	height: number;
	rotation: number;
}

/** Ahead of samples: interleaved, little endian. */
export interface AudioHeader {
	/** Microseconds. */
	timestamp: number;
	format: 's16';
	sampleRate: number;
	numberOfChannels: number;
	numberOfFrames: number;
}

export type MediaHeader = VideoHeader | AudioHeader;
