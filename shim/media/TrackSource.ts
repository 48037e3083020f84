import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';

/** What a source tells the tracks that it feeds. */
export interface SourceListener {
	/** No media will follow; of its own accord, not because the tracks were stopped. */
	sourceEnded(): void;
	sourceMuted(muted: boolean): void;
}

/**
 * What feeds tracks, in whatever session they are sent: a local one is a description that is opened in each, what a
 * program writes is written into each, and what is received in one is carried into the others.
 */
export interface TrackSource {
	/** The session where its frames are read. */
	readonly home: Session;
	/** The object that a Track of `session` names as its source; made there on first use. */
	remote(session: Session): Remote<'MediaSource'> | Remote<'RtpReceiver'>;
	/** Adds a track; the source stays open while it has one. */
	retain(track: SourceListener): void;
	/** Removes a track; the last one closes the source. Unknown ones are ignored. */
	release(track: SourceListener): void;
}
