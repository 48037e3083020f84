import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';
import { isHostTrack } from './hostClasses.ts';
import { type MediaStreamTrack, openOwnTrack } from './MediaStreamTrack.ts';
import { MediaStreamTrackGenerator } from './MediaStreamTrackGenerator.ts';

/** The host's own, from before ours is put in its place. */
const HostProcessor = globalThis.MediaStreamTrackProcessor as unknown as
	| (new (init: {
			track: object;
	  }) => { readable: ReadableStream<VideoFrame | AudioData> })
	| undefined;

const standIns = new WeakMap<object, MediaStreamTrackGenerator>();

/**
 * The worker's object for a track, made when it is first asked for; null for one that has ended.
 * A track of the host's (a page's camera, a canvas) is sent frame by frame from here.
 */
export function openTrack(track: MediaStreamTrack, session: Session): Remote<'Track'> | null {
	return openOwnTrack(isHostTrack(track) ? standInOf(track) : track, session);
}

/** A track of ours that has what the host's has, as long as that is live. */
function standInOf(track: MediaStreamTrack): MediaStreamTrack {
	const known = standIns.get(track);
	if (known) return known;
	const standIn = new MediaStreamTrackGenerator(track.kind);
	standIns.set(track, standIn);
	const frames = track.readyState === 'live' ? hostFrames(track) : null;
	// Ends with the track; one whose frames cannot be read has ended here.
	if (frames) frames.pipeTo(standIn.writable).catch(() => {});
	else void standIn.writable.close();
	return standIn;
}

/** The frames of a track of the host's; null for one of ours, or where the host gives none. */
export function hostFrames(track: MediaStreamTrack): ReadableStream<VideoFrame | AudioData> | null {
	return isHostTrack(track) && HostProcessor ? new HostProcessor({ track }).readable : null;
}
