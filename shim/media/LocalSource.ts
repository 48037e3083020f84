import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';
import type { ObjectIn } from '../rpc/types.ts';
import type { SourceListener, TrackSource } from './TrackSource.ts';

/** A source that is a description: opened in each session where one of its tracks is used, from its beginning. */
export class LocalSource implements TrackSource {
	readonly home: Session;
	readonly #description: ObjectIn<'MediaSource'>;
	readonly #remotes = new Map<Session, Remote<'MediaSource'>>();
	readonly #tracks = new Set<SourceListener>();

	constructor(home: Session, description: ObjectIn<'MediaSource'>) {
		this.home = home;
		this.#description = description;
	}

	remote(session: Session): Remote<'MediaSource'> {
		const known = this.#remotes.get(session);
		if (known) return known;
		const remote = session.create('MediaSource', this.#description);
		this.#remotes.set(session, remote);
		remote.on('ended', () => this.#end());
		remote.onlost = () => this.#lost(session);
		if (session !== this.home) remote.call('open', {}).catch(() => this.#lost(session));
		return remote;
	}

	retain(track: SourceListener): void {
		this.#tracks.add(track);
	}

	release(track: SourceListener): void {
		this.#tracks.delete(track);
		if (this.#tracks.size === 0) this.close();
	}

	/** Closes it wherever it was opened. */
	close(): void {
		for (const remote of this.#remotes.values()) remote.drop();
		this.#remotes.clear();
	}

	/** Its tracks end with the session that opened it; in another, only what was sent from there. */
	#lost(session: Session): void {
		this.#remotes.delete(session);
		if (session === this.home) this.#end();
	}

	#end(): void {
		for (const track of [...this.#tracks]) track.sourceEnded();
	}
}
