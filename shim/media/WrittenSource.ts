import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';
import { fromFrame } from './frameClasses.ts';
import { LocalSource } from './LocalSource.ts';
import type { Kind } from './MediaStreamTrack.ts';

/** A source of type 'frames' with its writer, in the session where it was made. */
export class WrittenSource extends LocalSource {
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

	/**
	 * @throws {TypeError} it is no frame of the track's kind
	 * @throws {InvalidStateError} the track has ended
	 */
	async write(frame: VideoFrame | AudioData): Promise<void> {
		if (this.#closed) throw new DOMException('The track has ended', 'InvalidStateError');
		const { header, planes } = await fromFrame(this.#kind, frame);
		frame.close();
		this.#writer.sendMedia(header, planes);
	}

	override close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#writer.drop();
		super.close();
	}
}
