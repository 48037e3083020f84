import type { Context } from '../rpc/context.ts';
import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';
import { fromFrame, type WireFrame } from './frameClasses.ts';
import type { Kind } from './MediaStreamTrack.ts';
import type { SourceListener, TrackSource } from './TrackSource.ts';
import { WrittenFeed } from './WrittenFeed.ts';

/** What a program writes: fed into each session where one of its tracks is used, and at home in none. */
export class WrittenSource implements TrackSource {
	/** Called once when the source has closed. */
	onclose: (() => void) | null = null;
	readonly #context: Context;
	readonly #kind: Kind;
	readonly #feeds = new Map<Session, WrittenFeed>();
	readonly #tracks = new Set<SourceListener>();
	/** The picture that was written last, for a session that begins to use it: it may be the only one for long. */
	#latest: WireFrame | null = null;
	#waiting: (() => void)[] = [];
	#closed = false;

	constructor(context: Context, kind: Kind) {
		this.#context = context;
		this.#kind = kind;
	}

	get home(): Session {
		const [home = this.#context.session()] = this.#feeds.keys();
		return home;
	}

	remote(session: Session): Remote<'MediaSource'> {
		return (this.#feeds.get(session) ?? this.#open(session)).source;
	}

	retain(track: SourceListener): void {
		this.#tracks.add(track);
	}

	release(track: SourceListener): void {
		this.#tracks.delete(track);
		if (this.#tracks.size === 0) this.#close();
	}

	/** Resolves when a frame would go at once: somebody consumes the source, and the link has taken the last one. */
	async room(): Promise<void> {
		while (!this.#closed && ![...this.#feeds.values()].some(({ hasRoom }) => hasRoom)) {
			await new Promise<void>((resolve) => this.#waiting.push(resolve));
		}
	}

	/** Takes a frame as take() does, and sends it. */
	async write(frame: VideoFrame | AudioData): Promise<void> {
		this.send(await this.take(frame));
	}

	/**
	 * What a frame holds; the frame is closed.
	 *
	 * @throws {TypeError} it is no frame of the track's kind
	 * @throws {InvalidStateError} the track has ended
	 */
	async take(frame: VideoFrame | AudioData): Promise<WireFrame> {
		if (this.#closed) throw new DOMException('The track has ended', 'InvalidStateError');
		const taken = await fromFrame(this.#kind, frame);
		frame.close();
		return taken;
	}

	/** @throws {InvalidStateError} the track has ended */
	send(frame: WireFrame): void {
		if (this.#closed) throw new DOMException('The track has ended', 'InvalidStateError');
		if (this.#kind === 'video') this.#latest = frame;
		for (const feed of this.#feeds.values()) void feed.send(frame);
	}

	/** Drops what was sent and is not seen or heard yet. */
	reset(): void {
		this.#latest = null;
		for (const feed of this.#feeds.values()) feed.reset();
	}

	#open(session: Session): WrittenFeed {
		const feed = new WrittenFeed(session, this.#kind);
		this.#feeds.set(session, feed);
		feed.onroom = () => this.#wake();
		feed.source.onlost = () => this.#feeds.delete(session);
		if (this.#latest) void feed.send(this.#latest);
		this.#wake();
		return feed;
	}

	#close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#latest = null;
		for (const feed of this.#feeds.values()) feed.close();
		this.#feeds.clear();
		this.#wake();
		this.onclose?.();
	}

	#wake(): void {
		for (const resolve of this.#waiting.splice(0)) resolve();
	}
}
