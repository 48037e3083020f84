import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';
import { constructorKey } from '../webidl/interface.ts';
import { showsTracks } from './hostClasses.ts';
import { type Kind, MediaStreamTrack, setTrackMuted } from './MediaStreamTrack.ts';
import { Relays } from './RelayedSource.ts';
import { shownBy, showTrack } from './shownTrack.ts';
import type { SourceListener, TrackSource } from './TrackSource.ts';

const sources = new WeakMap<MediaStreamTrack, ReceiverSource>();

/**
 * The track of an RTCRtpReceiver: muted until the receiver says otherwise; in a page that can show it, one of the host's.
 * It follows the receiver's `mute` and `unmute`; the two functions below are for what negotiation decides.
 *
 * @param home the session of the connection
 * @param receiver the worker's receiver, which the caller owns: it is not dropped when the track stops
 */
export function createRemoteTrack(kind: Kind, home: Session, receiver: Remote<'RtpReceiver'>): MediaStreamTrack {
	const source = new ReceiverSource(kind, home, receiver);
	const make = (id?: string) =>
		new MediaStreamTrack(constructorKey, { kind, id, source, label: `remote ${kind}`, muted: true });
	const track = showsTracks ? showTrack(kind, make) : make();
	sources.set(track, source);
	return track;
}

/** Mutes or unmutes a remote track, firing the event if that changes it. */
export function muteRemoteTrack(track: MediaStreamTrack, muted: boolean): void {
	setTrackMuted(shownBy(track) ?? track, muted);
}

/**
 * Ends a remote track and its clones, since nothing will feed them; each fires `ended` unless it has ended already.
 * @see https://www.w3.org/TR/mediacapture-streams/#track-ended
 */
export function endRemoteTrack(track: MediaStreamTrack): void {
	sources.get(track)?.end();
}

class ReceiverSource implements TrackSource {
	readonly home: Session;
	readonly #receiver: Remote<'RtpReceiver'>;
	readonly #relays: Relays;
	readonly #tracks = new Set<SourceListener>();

	constructor(kind: Kind, home: Session, receiver: Remote<'RtpReceiver'>) {
		this.home = home;
		this.#receiver = receiver;
		this.#relays = new Relays(kind, receiver);
		receiver.on('mute', () => this.#mute(true));
		receiver.on('unmute', () => this.#mute(false));
	}

	remote(session: Session): Remote<'RtpReceiver'> | Remote<'MediaSource'> {
		return session === this.home ? this.#receiver : this.#relays.remote(session);
	}

	retain(track: SourceListener): void {
		this.#tracks.add(track);
	}

	release(track: SourceListener): void {
		this.#tracks.delete(track);
		if (this.#tracks.size === 0) this.#relays.close();
	}

	end(): void {
		for (const track of [...this.#tracks]) track.sourceEnded();
	}

	#mute(muted: boolean): void {
		for (const track of [...this.#tracks]) track.sourceMuted(muted);
	}
}
