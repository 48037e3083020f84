import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';
import type { MediaHeader } from '../rpc/types.ts';
import type { Kind } from './MediaStreamTrack.ts';
import { WrittenFeed } from './WrittenFeed.ts';

/** Frames that may be under way: pictures, so that a slow path costs delay and not rate; sound, in 20 ms. */
const AHEAD: Record<Kind, number> = { audio: 10, video: 2 };

/** A reader and the track that it reads. */
interface Reading {
	readonly track: Remote<'Track'>;
	readonly reader: Remote<'FrameReader'>;
}

/**
 * What is received in one session, as a source in another: read and written there, raw, while somebody consumes it
 * there. Meanwhile nothing of it is read, nor decoded for it.
 */
export class RelayedSource {
	/** Called when it can carry no more: what it reads has ended, or one of the sessions is lost. */
	onend: (() => void) | null = null;
	readonly #kind: Kind;
	readonly #receiver: Remote<'RtpReceiver'>;
	readonly #feed: WrittenFeed;
	#reading: Reading | null = null;

	constructor(kind: Kind, receiver: Remote<'RtpReceiver'>, session: Session) {
		this.#kind = kind;
		this.#receiver = receiver;
		this.#feed = new WrittenFeed(session, kind);
		this.#feed.ondemand = (demanded) => (demanded ? this.#begin() : this.#rest());
		this.#feed.source.onlost = () => this.close();
	}

	get remote(): Remote<'MediaSource'> {
		return this.#feed.source;
	}

	/** Ends it, and with it what the other session sends of it. */
	close(): void {
		this.#rest();
		this.#feed.ondemand = null;
		this.#feed.close();
		this.onend?.();
		this.onend = null;
	}

	#begin(): void {
		if (this.#reading) return;
		const { session } = this.#receiver;
		const track = session.create('Track', { source: this.#receiver, kind: this.#kind });
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
