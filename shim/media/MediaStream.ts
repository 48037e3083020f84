import * as idl from '../webidl/convert.ts';
import { defineEventHandlers, eventTargetOf } from '../webidl/eventHandlers.ts';
import { defineInterface, requireArguments } from '../webidl/interface.ts';
import { acceptHost, isHostStream } from './hostClasses.ts';
import { MediaStreamTrack } from './MediaStreamTrack.ts';
import { MediaStreamTrackEvent } from './MediaStreamTrackEvent.ts';
import { uuid } from './uuid.ts';

const track = idl.instanceOf(MediaStreamTrack);
const tracks = idl.sequence(track);

/** A stream with the id that the peer signalled. */
export let createStream: (id: string) => MediaStream;

/** Adds a track as the user agent does: with an `addtrack` event, unless the stream has it. */
export let addTrackTo: (stream: MediaStream, track: MediaStreamTrack) => void;

/** Removes a track as the user agent does: with a `removetrack` event, if the stream has it. */
export let removeTrackFrom: (stream: MediaStream, track: MediaStreamTrack) => void;

/**
 * A set of tracks with an id.
 * @see https://www.w3.org/TR/mediacapture-streams/#mediastream
 */
export class MediaStream extends eventTargetOf<MediaStreamEventMap>() {
	declare onaddtrack: globalThis.MediaStream['onaddtrack'];
	declare onremovetrack: globalThis.MediaStream['onremovetrack'];

	#id = uuid();
	readonly #tracks = new Map<string, MediaStreamTrack>();

	/**
	 * @param streamOrTracks a stream whose tracks the new one has too, or tracks; none: an empty stream
	 * @throws {TypeError} it is neither
	 */
	constructor(streamOrTracks: MediaStream | Iterable<MediaStreamTrack> | undefined = undefined) {
		super();
		if (streamOrTracks === undefined) return;
		const given =
			streamOrTracks instanceof MediaStream
				? streamOrTracks.getTracks()
				: tracks(streamOrTracks, 'MediaStream: tracks');
		for (const each of given) this.#tracks.set(each.id, each);
	}

	get id(): string {
		return this.#id;
	}

	/** Whether one of its tracks is live. */
	get active(): boolean {
		return this.getTracks().some((each) => each.readyState === 'live');
	}

	getTracks(): MediaStreamTrack[] {
		return [...this.#tracks.values()];
	}

	getAudioTracks(): MediaStreamTrack[] {
		return this.getTracks().filter((each) => each.kind === 'audio');
	}

	getVideoTracks(): MediaStreamTrack[] {
		return this.getTracks().filter((each) => each.kind === 'video');
	}

	getTrackById(trackId: string): MediaStreamTrack | null {
		requireArguments(arguments.length, 1, 'MediaStream.getTrackById');
		return this.#tracks.get(idl.domString(trackId, 'trackId')) ?? null;
	}

	/** Adds a track, unless the stream has it. Fires no event: the caller knows. */
	addTrack(added: MediaStreamTrack): void {
		requireArguments(arguments.length, 1, 'MediaStream.addTrack');
		const { id } = track(added, 'MediaStream.addTrack: track');
		if (!this.#tracks.has(id)) this.#tracks.set(id, added);
	}

	/** Removes a track, if the stream has it. Fires no event: the caller knows. */
	removeTrack(removed: MediaStreamTrack): void {
		requireArguments(arguments.length, 1, 'MediaStream.removeTrack');
		this.#tracks.delete(track(removed, 'MediaStream.removeTrack: track').id);
	}

	/** A stream of clones of its tracks. */
	clone(): MediaStream {
		return new MediaStream(this.getTracks().map((each) => each.clone()));
	}

	static {
		createStream = (id) => {
			const stream = new MediaStream();
			stream.#id = id;
			return stream;
		};
		addTrackTo = (stream, added) => {
			if (stream.#tracks.has(added.id)) return;
			stream.#tracks.set(added.id, added);
			stream.dispatchEvent(new MediaStreamTrackEvent('addtrack', { track: added }));
		};
		removeTrackFrom = (stream, removed) => {
			if (!stream.#tracks.delete(removed.id)) return;
			stream.dispatchEvent(new MediaStreamTrackEvent('removetrack', { track: removed }));
		};
	}
}

defineInterface(MediaStream);
acceptHost(MediaStream, isHostStream);
defineEventHandlers(MediaStream, ['addtrack', 'removetrack']);
