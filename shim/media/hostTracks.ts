import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';
import { constructorKey } from '../webidl/interface.ts';
import { HostProcessor, isHostTrack } from './hostClasses.ts';
import { endTrack, type Kind, MediaStreamTrack, openOwnTrack } from './MediaStreamTrack.ts';
import { shownBy } from './shownTrack.ts';
import { WrittenSource } from './WrittenSource.ts';

/** Of sound, in frames of 10 ms, what may wait for a page that is busy; of pictures the newest. */
const BUFFER: Record<Kind, number> = { audio: 50, video: 1 };

const standIns = new WeakMap<object, MediaStreamTrack>();

/**
 * The worker's object for a track, made when it is first asked for; null for one that has ended.
 * A remote track that a page shows is sent on from where it is; another of the host's (a page's camera, a canvas) frame
 * by frame from here.
 */
export function openTrack(track: MediaStreamTrack, session: Session): Remote<'Track'> | null {
	const own = shownBy(track) ?? (isHostTrack(track) ? standInOf(track, session) : track);
	return openOwnTrack(own, session);
}

/** A track of ours that has what the host's has, as long as that is live. */
function standInOf(track: MediaStreamTrack, session: Session): MediaStreamTrack {
	const known = standIns.get(track);
	if (known) return known;
	const source = new WrittenSource({ session: () => session }, track.kind);
	const standIn = new MediaStreamTrack(constructorKey, { kind: track.kind, source });
	standIns.set(track, standIn);
	const end = () => endTrack(standIn);
	const reader = track.readyState === 'live' ? hostFrames(track, BUFFER[track.kind])?.getReader() : undefined;
	if (!reader) end();
	else {
		// The track may end while no frame can go, and says nothing when it is stopped.
		reader.closed.then(end, end);
		void capture(reader, source).finally(end);
	}
	return standIn;
}

/** Takes each frame when it can go, until the track ends or nothing can be made of its frames. */
async function capture(
	reader: ReadableStreamDefaultReader<VideoFrame | AudioData>,
	source: WrittenSource,
): Promise<void> {
	try {
		for (;;) {
			await source.room();
			const { done, value } = await reader.read();
			if (done) return;
			await source.write(value);
		}
	} catch {
		// A frame is in a format that cannot be converted: its senders have an ended track then.
	} finally {
		reader.cancel().catch(() => {});
	}
}

/** The frames of a track of the host's; null for one of ours, or where the host gives none. */
export function hostFrames(
	track: MediaStreamTrack,
	maxBufferSize?: number,
): ReadableStream<VideoFrame | AudioData> | null {
	return isHostTrack(track) && HostProcessor ? new HostProcessor({ track, maxBufferSize }).readable : null;
}
