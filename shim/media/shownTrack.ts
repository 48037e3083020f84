import { HostGenerator, HostStream, HostTrack } from './hostClasses.ts';
import { cloneAs, endTrack, type Kind, type MediaStreamTrack } from './MediaStreamTrack.ts';
import { MediaStreamTrackProcessor } from './MediaStreamTrackProcessor.ts';

/** Frames that the worker may send ahead: pictures, so that a slow path costs delay and not rate; sound, in 20 ms. */
const AHEAD: Record<Kind, number> = { audio: 10, video: 2 };

type Native = globalThis.MediaStreamTrack;

const owns = new WeakMap<object, MediaStreamTrack>();

/** The track of ours that a page was given the host's track for; undefined for any other track. */
export function shownBy(track: object): MediaStreamTrack | undefined {
	return owns.get(track);
}

/**
 * A track of the host's that has the frames of one of ours, and its life: elements, recorders and Web Audio take it.
 *
 * Nobody can tell whether a track of the host's is looked at. So its frames are carried from the first packet until it
 * ends, but while it is disabled, when there is only black and silence to see of it.
 *
 * @param make makes ours, with the id of the host's
 */
export function showTrack(kind: Kind, make: (id: string) => MediaStreamTrack): MediaStreamTrack {
	patchStreams();
	// A clone of the generator is a plain track; the generator itself is nobody's business.
	const generator = new HostGenerator!({ kind });
	const native = HostTrack!.prototype.clone.call(generator);
	const own = make(native.id);
	owns.set(native, own);
	const carrier = new Carrier(own, generator.writable);
	const stop = () => {
		own.stop();
		for (const each of [native, generator]) HostTrack!.prototype.stop.call(each);
	};
	dress(native, own, carrier, stop);
	carrier.update();
	return native as unknown as MediaStreamTrack;
}

/** What is ours to say of a native track, said on the object itself. */
function dress(native: Native, own: MediaStreamTrack, carrier: Carrier, stop: () => void): void {
	const { get, set } = Object.getOwnPropertyDescriptor(HostTrack!.prototype, 'enabled')!;
	native.enabled = own.enabled;
	const members: PropertyDescriptorMap = {
		label: { get: () => own.label },
		muted: { get: () => own.muted },
		readyState: { get: () => own.readyState },
		enabled: {
			get: () => get!.call(native),
			set: (value: unknown) => {
				set!.call(native, value);
				own.enabled = native.enabled;
				carrier.update();
			},
		},
		stop: { value: stop },
		clone: { value: () => cloneShown(native, own) },
	};
	for (const [name, member] of Object.entries(members)) {
		Object.defineProperty(native, name, { ...member, enumerable: true, configurable: true });
	}
	for (const type of ['mute', 'unmute', 'ended']) {
		own.addEventListener(type, () => {
			if (type === 'ended') stop();
			carrier.update();
			native.dispatchEvent(new Event(type));
		});
	}
}

function cloneShown(native: Native, own: MediaStreamTrack): MediaStreamTrack {
	const clone = showTrack(own.kind, (id) => cloneAs(own, id));
	clone.contentHint = native.contentHint;
	if (own.readyState === 'ended') clone.stop();
	return clone;
}

/** Carries the frames of a track while it is live, enabled and was unmuted. */
class Carrier {
	readonly #track: MediaStreamTrack;
	readonly #writer: WritableStreamDefaultWriter<VideoFrame | AudioData>;
	#running = false;

	constructor(track: MediaStreamTrack, writable: WritableStream<VideoFrame | AudioData>) {
		this.#track = track;
		this.#writer = writable.getWriter();
		// It is closed when the track ends, of which the track says enough.
		this.#writer.closed.catch(() => {});
	}

	/** To be called when the track changed. */
	update(): void {
		const { muted, enabled, readyState } = this.#track;
		if (!this.#running && !muted && enabled && readyState === 'live') void this.#run();
	}

	async #run(): Promise<void> {
		this.#running = true;
		const track = this.#track;
		const init = { track, maxBufferSize: AHEAD[track.kind] } as ConstructorParameters<
			typeof MediaStreamTrackProcessor
		>[0];
		const reader = new MediaStreamTrackProcessor(init).readable.getReader();
		try {
			// One frame more than is wanted: a track that was disabled turns black with its next picture.
			do {
				const { done, value } = await reader.read();
				if (done) return;
				await this.#writer.write(value);
			} while (track.enabled);
		} catch {
			// The worker refused the reader: nothing will be seen of this track. Or it ended, and that is known.
			endTrack(track);
		} finally {
			this.#running = false;
			reader.cancel().catch(() => {});
		}
	}
}

let patched = false;

/** The host would clone what is in a stream without asking the tracks. */
function patchStreams(): void {
	if (patched) return;
	patched = true;
	Object.defineProperty(HostStream!.prototype, 'clone', {
		value: function clone(this: globalThis.MediaStream): globalThis.MediaStream {
			return new HostStream!(this.getTracks().map((track) => track.clone()));
		},
		writable: true,
		enumerable: true,
		configurable: true,
	});
}
