import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';
import { constructorKey } from '../webidl/interface.ts';
import { type Kind, MediaStreamTrack } from './MediaStreamTrack.ts';
import type { SourceListener, TrackSource } from './TrackSource.ts';

/**
 * The track of an RTCRtpReceiver: muted until the receiver says otherwise.
 * It follows the receiver's `mute` and `unmute`; setTrackMuted and endTrack are for what negotiation decides.
 *
 * @param home the session of the connection
 * @param receiver the worker's receiver, which the caller owns: it is not dropped when the track stops
 */
export function createRemoteTrack(
	kind: Kind,
	id: string,
	home: Session,
	receiver: Remote<'RtpReceiver'>,
): MediaStreamTrack {
	const source = new ReceiverSource(home, receiver);
	return new MediaStreamTrack(constructorKey, { kind, id, source, label: `remote ${kind}`, muted: true });
}

class ReceiverSource implements TrackSource {
	readonly home: Session;
	readonly #receiver: Remote<'RtpReceiver'>;
	readonly #tracks = new Set<SourceListener>();

	constructor(home: Session, receiver: Remote<'RtpReceiver'>) {
		this.home = home;
		this.#receiver = receiver;
		receiver.on('mute', () => this.#mute(true));
		receiver.on('unmute', () => this.#mute(false));
	}

	remote(session: Session): Remote<'RtpReceiver'> {
		if (session === this.home) return this.#receiver;
		throw new DOMException(
			'A remote track can be sent only by connections of the session that received it',
			'NotSupportedError',
		);
	}

	retain(track: SourceListener): void {
		this.#tracks.add(track);
	}

	release(track: SourceListener): void {
		this.#tracks.delete(track);
	}

	#mute(muted: boolean): void {
		for (const track of [...this.#tracks]) track.sourceMuted(muted);
	}
}
