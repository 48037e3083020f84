/** The host's own classes, from before ours are put in their place; none outside pages. */

interface HostGenerator extends globalThis.MediaStreamTrack {
	readonly writable: WritableStream<VideoFrame | AudioData>;
}

type GeneratorClass = new (init: { kind: 'audio' | 'video' }) => HostGenerator;
type ProcessorClass = new (init: {
	track: object;
	maxBufferSize?: number;
}) => { readable: ReadableStream<VideoFrame | AudioData> };

/** lib.dom has none of these two, and ours are declared under their names. */
const insertable = globalThis as unknown as {
	MediaStreamTrackGenerator?: GeneratorClass;
	MediaStreamTrackProcessor?: ProcessorClass;
};

export const HostTrack = globalThis.MediaStreamTrack as typeof globalThis.MediaStreamTrack | undefined;
export const HostStream = globalThis.MediaStream as typeof globalThis.MediaStream | undefined;
export const HostTrackEvent = globalThis.MediaStreamTrackEvent as typeof globalThis.MediaStreamTrackEvent | undefined;
export const HostGenerator = insertable.MediaStreamTrackGenerator;
export const HostProcessor = insertable.MediaStreamTrackProcessor;

/**
 * Whether frames become tracks of the host's own, which its elements play, and its tracks frames: so in Chromium. Its
 * media classes then stay, and what a connection receives are objects of theirs.
 */
export const showsTracks: boolean = [
	HostTrack,
	HostStream,
	HostTrackEvent,
	HostGenerator,
	HostProcessor,
	globalThis.VideoFrame,
	globalThis.AudioData,
].every(Boolean);

export function isHostTrack(value: unknown): boolean {
	return HostTrack !== undefined && value instanceof HostTrack;
}

export function isHostStream(value: unknown): boolean {
	return HostStream !== undefined && value instanceof HostStream;
}

/** Makes the host's objects instances of our class, too: a page's camera and canvases give tracks that can be sent. */
export function acceptHost(type: { prototype: object }, isHost: (value: unknown) => boolean): void {
	function hasInstance(this: typeof type, value: unknown): boolean {
		return Function.prototype[Symbol.hasInstance].call(this, value) || (this === type && isHost(value));
	}
	if (HostTrack) Object.defineProperty(type, Symbol.hasInstance, { value: hasInstance, configurable: true });
}
