import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';
import type { CallOut, ObjectIn } from '../rpc/types.ts';
import { Relays } from './RelayedSource.ts';
import type { SourceListener, TrackSource } from './TrackSource.ts';

/**
 * A source that is a description: opened in each session where one of its tracks is used, from its beginning; but a
 * device, which may be open once, is carried into the others. Its tracks end with the last session that has it open.
 */
export class LocalSource implements TrackSource {
	readonly #description: ObjectIn<'MediaSource'>;
	/** The first is where it has been open for longest. */
	readonly #remotes = new Map<Session, Remote<'MediaSource'>>();
	readonly #tracks = new Set<SourceListener>();
	/** Of a device. */
	#relays: Relays | null = null;

	constructor(description: ObjectIn<'MediaSource'>) {
		this.#description = description;
	}

	get home(): Session {
		const [home] = this.#remotes.keys();
		return home!;
	}

	/** Opens it in the first session; rejects with the worker's reason when it cannot be. */
	open(session: Session): Promise<CallOut<'MediaSource', 'open'>> {
		const remote = this.#make(session);
		const { type, video } = this.#description;
		// Of devices, picture and sound are a source each.
		if (type === 'device') this.#relays = new Relays(video ? 'video' : 'audio', remote);
		return remote.call('open', {});
	}

	remote(session: Session): Remote<'MediaSource'> {
		const known = this.#remotes.get(session);
		if (known) return known;
		if (this.#relays) return this.#relays.remote(session);
		const remote = this.#make(session);
		remote.call('open', {}).catch(() => this.#lost(session));
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
		this.#relays?.close();
		for (const remote of this.#remotes.values()) remote.drop();
		this.#remotes.clear();
	}

	#make(session: Session): Remote<'MediaSource'> {
		const remote = session.create('MediaSource', this.#description);
		this.#remotes.set(session, remote);
		remote.on('ended', () => this.#end());
		remote.onlost = () => this.#lost(session);
		return remote;
	}

	/** What was sent from there ends; the tracks do when it is open nowhere else. */
	#lost(session: Session): void {
		this.#remotes.delete(session);
		if (this.#remotes.size === 0) this.#end();
	}

	#end(): void {
		for (const track of [...this.#tracks]) track.sourceEnded();
	}
}
