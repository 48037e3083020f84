import type { Remote } from '../rpc/Remote.ts';
import type { Session } from '../rpc/Session.ts';
import type { WireFrame } from './frameClasses.ts';
import type { Kind } from './MediaStreamTrack.ts';

/** A source of type 'frames' in a session, with its writer. */
export class WrittenFeed {
	readonly source: Remote<'MediaSource'>;
	/** Called when `hasRoom` becomes true. */
	onroom: (() => void) | null = null;
	/** Called when somebody begins to consume the source, and when nobody does any more. */
	ondemand: ((demanded: boolean) => void) | null = null;
	readonly #writer: Remote<'FrameWriter'>;
	/** Resolves when there is room again; null while there is. */
	#room: Promise<void> | null = null;

	constructor(session: Session, kind: Kind) {
		this.source = session.create('MediaSource', { type: 'frames', [kind]: {} });
		this.#writer = session.create('FrameWriter', { source: this.source });
		this.#writer.on('demand', ({ demanded }) => this.ondemand?.(demanded));
	}

	/** Whether a frame would go at once: the link has taken the last one, and somebody has consumed it. */
	get hasRoom(): boolean {
		return this.#room === null;
	}

	/**
	 * Without room a picture waits, replacing one that waits already, and sound is lost.
	 *
	 * @returns when there is room for another frame
	 */
	send({ header, planes }: WireFrame): Promise<void> {
		this.#writer.sendMedia(header, planes);
		this.#room ??= this.#awaitRoom();
		return this.#room;
	}

	/** Drops what was sent and is not seen or heard yet. */
	reset(): void {
		this.#writer.discardMedia();
		void this.#writer.call('reset', {});
	}

	/** Ends the source's tracks in the worker. */
	close(): void {
		this.#writer.drop();
		this.source.drop();
	}

	async #awaitRoom(): Promise<void> {
		await this.#writer.mediaRoom();
		this.#room = null;
		this.onroom?.();
	}
}
