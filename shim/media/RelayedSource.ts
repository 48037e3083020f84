import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';
import type { MediaHeader } from '../rpc/types.ts';
import type { Kind } from './MediaStreamTrack.ts';
import { WrittenFeed } from './WrittenFeed.ts';

type Original = Remote<'RtpReceiver'> | Remote<'MediaSource'>;

/** Frames that may be under way: pictures, so that a slow path costs delay and not rate; sound, in 20 ms. */
const AHEAD: Record<Kind, number> = { audio: 10, video: 2 };

/** A reader and the track that it reads. */
interface Reading {
	readonly track: Remote<'Track'>;
	readonly reader: Remote<'FrameReader'>;
}

/** A source that can be in one session only, carried into others: by session, made on first use. */
export class Relays {
	readonly #kind: Kind;
	readonly #original: Original;
	readonly #relays = new Map<Session, RelayedSource>();

	constructor(kind: Kind, original: Original) {
		this.#kind = kind;
		this.#original = original;
	}

	/** What stands for the source in `session`. */
	remote(session: Session): Remote<'MediaSource'> {
		const known = this.#relays.get(session);
		if (known) return known.remote;
		const relay = new RelayedSource(this.#kind, this.#original, session);
		relay.onend = () => this.#relays.delete(session);
		this.#relays.set(session, relay);
		return relay.remote;
	}

	close(): void {
		for (const relay of [...this.#relays.values()]) relay.close();
	}
}

/**
 * A source of one session in another: read there and written here, raw, while somebody consumes it here. Otherwise
 * nothing of it is read, nor decoded for it.
 */
class RelayedSource {
	/** Called when it can carry no more: what it reads has ended, or one of the sessions is lost. */
	onend: (() => void) | null = null;
	readonly #kind: Kind;
	readonly #original: Original;
	readonly #feed: WrittenFeed;
	#reading: Reading | null = null;

	constructor(kind: Kind, original: Original, session: Session) {
		this.#kind = kind;
		this.#original = original;
		this.#feed = new WrittenFeed(session, kind);
		this.#feed.ondemand = (demanded) => (demanded ? this.#begin() : this.#rest());
		this.#feed.source.onlost = () => this.close();
	}

	get remote(): Remote<'MediaSource'> {
		return this.#feed.source;
	}

	/** Ends it, and with it what is sent of it. */
	close(): void {
		this.#rest();
		this.#feed.ondemand = null;
		this.#feed.close();
		this.onend?.();
		this.onend = null;
	}

	#begin(): void {
		if (this.#reading) return;
		const { session } = this.#original;
		const track = session.create('Track', { source: this.#original, kind: this.#kind });
		const reader = session.create('FrameReader', { track });
		this.#reading = { track, reader };
		reader.onmedia = (header, planes) => void this.#carry(reader, header, planes);
		reader.on('ended', () => this.close());
		reader.on('error', () => this.close());
		reader.onlost = () => this.close();
		reader.credit(AHEAD[this.#kind]);
	}

	#rest(): void {
		this.#reading?.reader.drop();
		this.#reading?.track.drop();
		this.#reading = null;
	}

	/** Another may follow when this one would not have to wait. */
	async #carry(reader: Remote<'FrameReader'>, header: MediaHeader, planes: Uint8Array<ArrayBuffer>): Promise<void> {
		await this.#feed.send({ header, planes });
		if (this.#reading?.reader === reader) reader.credit(1);
	}
}
