/** The schema's types by object, call and event. */

import type { AudioHeader, Objects, VideoHeader } from './schema.ts';

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

export type { AudioHeader, VideoHeader };
/** Ahead of a picture's planes, Y, U and V without padding, or of samples, interleaved and little endian. */
export type MediaHeader = VideoHeader | AudioHeader;
