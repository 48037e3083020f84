import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';
import { fromFrame, type WireFrame } from './frameClasses.ts';
import { LocalSource } from './LocalSource.ts';
import type { Kind } from './MediaStreamTrack.ts';

/** A source of type 'frames' with its writer, in the session where it was made. */
export class WrittenSource extends LocalSource {
	/** Called once when the source has closed. */
	onclose: (() => void) | null = null;
	readonly #kind: Kind;
	readonly #writer: Remote<'FrameWriter'>;
	#closed = false;

	constructor(home: Session, kind: Kind) {
		super(home, { type: 'frames', [kind]: {} });
		this.#kind = kind;
		this.#writer = home.create('FrameWriter', { source: this.remote(home) });
	}

	override remote(session: Session): Remote<'MediaSource'> {
		if (session === this.home) return super.remote(session);
		throw new DOMException('A written track can be sent only by connections of its own session', 'NotSupportedError');
	}

	/** Resolves when a frame would go at once: somebody consumes the source, and the link has taken the last one. */
	room(): Promise<void> {
		return this.#writer.mediaRoom();
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
	send({ header, planes }: WireFrame): void {
		if (this.#closed) throw new DOMException('The track has ended', 'InvalidStateError');
		this.#writer.sendMedia(header, planes);
	}

	/** Drops what was sent and is not seen or heard yet. */
	reset(): void {
		if (this.#closed) return;
		this.#writer.discardMedia();
		void this.#writer.call('reset', {});
	}

	override close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#writer.drop();
		super.close();
		this.onclose?.();
	}
}
