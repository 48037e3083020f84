/** The host's MediaStreamTrack and MediaStream, from before ours are put in their place; none outside pages. */
const HostTrack = globalThis.MediaStreamTrack as (abstract new () => object) | undefined;
const HostStream = globalThis.MediaStream as (abstract new () => object) | undefined;

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
