import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';
import { domString } from '../webidl/convert.ts';
import { defineEventHandlers, eventTargetOf } from '../webidl/eventHandlers.ts';
import { constructorKey, defineInterface, requireKey } from '../webidl/interface.ts';
import { allowManyListeners } from '../webidl/listeners.ts';
import { copyConstraints } from './constraints.ts';
import { acceptHost, isHostTrack } from './hostClasses.ts';
import { capabilitiesOf, overconstrained } from './settings.ts';
import type { TrackSource } from './TrackSource.ts';
import { uuid } from './uuid.ts';

export type Kind = 'audio' | 'video';

export interface TrackInit {
	kind: Kind;
	source: TrackSource;
	id?: string;
	label?: string;
	muted?: boolean;
	settings?: MediaTrackSettings;
	constraints?: MediaTrackConstraints;
}

/**
 * The worker's Track in `session`, which is its source's home unless given; made on first use.
 * Null once the track has ended: there is nothing to send.
 */
export let openOwnTrack: (track: MediaStreamTrack, session?: Session) => Remote<'Track'> | null;

/** Mutes or unmutes a track, firing the event if that changes it. */
export let setTrackMuted: (track: MediaStreamTrack, muted: boolean) => void;

/** Ends a track for a reason other than stop(): fires `ended` unless it has ended already. */
export let endTrack: (track: MediaStreamTrack) => void;

/** A clone with an id that is known before. */
export let cloneAs: (track: MediaStreamTrack, id: string) => MediaStreamTrack;

/**
 * A track of audio or video: a handle on a worker's Track, one in each session where it is used.
 * @see https://www.w3.org/TR/mediacapture-streams/#mediastreamtrack
 */
export class MediaStreamTrack extends eventTargetOf<MediaStreamTrackEventMap>() {
	declare onended: ((this: globalThis.MediaStreamTrack, event: Event) => unknown) | null;
	declare onmute: ((this: globalThis.MediaStreamTrack, event: Event) => unknown) | null;
	declare onunmute: ((this: globalThis.MediaStreamTrack, event: Event) => unknown) | null;

	readonly #kind: Kind;
	readonly #id: string;
	readonly #label: string;
	readonly #source: TrackSource;
	readonly #settings: MediaTrackSettings;
	readonly #remotes = new Map<Session, Remote<'Track'>>();
	readonly #listener = {
		sourceEnded: (): void => this.#end(true),
		sourceMuted: (muted: boolean): void => this.#mute(muted),
	};
	#constraints: MediaTrackConstraints;
	#enabled = true;
	#muted: boolean;
	#readyState: MediaStreamTrackState = 'live';
	#contentHint = '';

	constructor(key: unknown = undefined, init?: TrackInit) {
		requireKey(key);
		super();
		const { kind, source, id = uuid(), label = '', muted = false, settings = {}, constraints = {} } = init!;
		this.#kind = kind;
		this.#source = source;
		this.#id = id;
		this.#label = label;
		this.#muted = muted;
		this.#settings = settings;
		this.#constraints = constraints;
		source.retain(this.#listener);
		allowManyListeners(this);
	}

	get kind(): Kind {
		return this.#kind;
	}

	get id(): string {
		return this.#id;
	}

	get label(): string {
		return this.#label;
	}

	/** While false, black pictures or silence are sent in place of the source's. */
	get enabled(): boolean {
		return this.#enabled;
	}

	set enabled(value: boolean) {
		const enabled = Boolean(value);
		if (enabled === this.#enabled) return;
		this.#enabled = enabled;
		for (const remote of this.#remotes.values()) setRemoteEnabled(remote, enabled);
	}

	get muted(): boolean {
		return this.#muted;
	}

	get readyState(): MediaStreamTrackState {
		return this.#readyState;
	}

	/** @see https://www.w3.org/TR/mst-content-hint/ */
	get contentHint(): string {
		return this.#contentHint;
	}

	set contentHint(value: string) {
		const hint = domString(value, 'MediaStreamTrack.contentHint');
		if (contentHints[this.#kind].includes(hint)) this.#contentHint = hint;
	}

	/** A track of the same source with an id of its own, which ends on its own. */
	clone(): MediaStreamTrack {
		return this.#clone(uuid());
	}

	/** Ends the track, and its source when no other track uses it. Fires no event. */
	stop(): void {
		this.#end(false);
	}

	getSettings(): MediaTrackSettings {
		return { ...this.#settings };
	}

	getConstraints(): MediaTrackConstraints {
		return copyConstraints(this.#constraints);
	}

	/** What applyConstraints can choose from: a source that is open keeps the size and rate it was opened with. */
	getCapabilities(): MediaTrackCapabilities {
		return capabilitiesOf(this.#settings);
	}

	/**
	 * Keeps `constraints` if the source, as it was opened, meets them.
	 *
	 * @throws {OverconstrainedError} a required constraint is not met; the old ones stay
	 * @see https://www.w3.org/TR/mediacapture-streams/#dom-mediastreamtrack-applyconstraints
	 */
	async applyConstraints(constraints: MediaTrackConstraints = {}): Promise<void> {
		if (this.#readyState === 'ended') return;
		const error = overconstrained(constraints, this.#settings);
		if (error) throw error;
		this.#constraints = copyConstraints(constraints);
	}

	#clone(id: string): MediaStreamTrack {
		const clone = new MediaStreamTrack(constructorKey, {
			kind: this.#kind,
			id,
			source: this.#source,
			label: this.#label,
			muted: this.#muted,
			settings: this.#settings,
			constraints: copyConstraints(this.#constraints),
		});
		clone.#enabled = this.#enabled;
		clone.#contentHint = this.#contentHint;
		if (this.#readyState === 'ended') clone.#end(false);
		return clone;
	}

	#end(fire: boolean): void {
		if (this.#readyState === 'ended') return;
		this.#readyState = 'ended';
		for (const remote of this.#remotes.values()) remote.drop();
		this.#remotes.clear();
		this.#source.release(this.#listener);
		if (fire) this.dispatchEvent(new Event('ended'));
	}

	#mute(muted: boolean): void {
		if (muted === this.#muted || this.#readyState === 'ended') return;
		this.#muted = muted;
		this.dispatchEvent(new Event(muted ? 'mute' : 'unmute'));
	}

	#remote(given?: Session): Remote<'Track'> | null {
		if (this.#readyState === 'ended') return null;
		const session = given ?? this.#source.home;
		const known = this.#remotes.get(session);
		if (known) return known;
		const remote = session.create('Track', { source: this.#source.remote(session), kind: this.#kind });
		this.#remotes.set(session, remote);
		remote.onlost = () => this.#remotes.delete(session);
		// It was refused there. Elsewhere than at home only what was sent from there ends.
		remote.on('error', () => session === this.#source.home && this.#end(true));
		if (!this.#enabled) setRemoteEnabled(remote, false);
		return remote;
	}

	static {
		openOwnTrack = (track, session) => track.#remote(session);
		setTrackMuted = (track, muted) => track.#mute(muted);
		endTrack = (track) => track.#end(true);
		cloneAs = (track, id) => track.#clone(id);
	}
}

const contentHints: Record<Kind, readonly string[]> = {
	audio: ['', 'speech', 'speech-recognition', 'music'],
	video: ['', 'motion', 'detail', 'text'],
};

function setRemoteEnabled(remote: Remote<'Track'>, enabled: boolean): void {
	// Refused only when the track or its session has ended, which both say by events of their own.
	remote.call('setEnabled', { enabled }).catch(() => {});
}

defineInterface(MediaStreamTrack);
acceptHost(MediaStreamTrack, isHostTrack);
defineEventHandlers(MediaStreamTrack, ['mute', 'unmute', 'ended']);
