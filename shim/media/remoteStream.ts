import { HostStream, HostTrackEvent, showsTracks } from './hostClasses.ts';
import { addTrackTo, createStream, type MediaStream, removeTrackFrom } from './MediaStream.ts';
import type { MediaStreamTrack } from './MediaStreamTrack.ts';

/** A stream with the id that the peer signalled; in a page that can show its tracks, one of the host's. */
export function createRemoteStream(id: string): MediaStream {
	if (!showsTracks) return createStream(id);
	const stream = new HostStream!();
	Object.defineProperty(stream, 'id', { value: id, enumerable: true, configurable: true });
	return stream as unknown as MediaStream;
}

/** Adds a track as the user agent does: with an `addtrack` event, unless the stream has it. */
export function addRemoteTrack(stream: MediaStream, track: MediaStreamTrack): void {
	if (!showsTracks) {
		addTrackTo(stream, track);
		return;
	}
	if (stream.getTracks().includes(track)) return;
	stream.addTrack(track);
	announce(stream, 'addtrack', track);
}

/** Removes a track as the user agent does: with a `removetrack` event, if the stream has it. */
export function removeRemoteTrack(stream: MediaStream, track: MediaStreamTrack): void {
	if (!showsTracks) {
		removeTrackFrom(stream, track);
		return;
	}
	if (!stream.getTracks().includes(track)) return;
	stream.removeTrack(track);
	announce(stream, 'removetrack', track);
}

function announce(stream: MediaStream, type: 'addtrack' | 'removetrack', track: unknown): void {
	stream.dispatchEvent(new HostTrackEvent!(type, { track: track as globalThis.MediaStreamTrack }));
}
