// For programs whose `lib` has no AsyncDisposable: the declarations bring it along.
/// <reference lib="esnext.disposable" preserve="true" />

import * as api from '../shim/api/index.ts';
import { asyncDisposable } from '../shim/link/disposable.ts';
import type { Capability } from '../shim/link/hello.ts';
import * as media from '../shim/media/index.ts';
import { bindContext, setContext } from '../shim/rpc/context.ts';
import type { Sessions } from './sessions.ts';

/** The classes that a shim gives, by the names of the specifications. */
export const classes = {
	...pick<typeof api, `RTC${string}`>(api, /^RTC/),
	...pick<typeof media, `Media${string}` | 'InputDeviceInfo' | 'OverconstrainedError'>(
		media,
		/^(Media|InputDeviceInfo|OverconstrainedError)/,
	),
};
export type Classes = typeof classes;

/** Those that a host may have of its own, which are then the better ones. */
export const frameClasses = {
	VideoFrame: media.VideoFrame,
	VideoColorSpace: media.VideoColorSpace,
	AudioData: media.AudioData,
};
export type FrameClasses = typeof frameClasses;

/** A shim: classes and devices whose objects live in sessions of its own. */
export interface Shim extends Classes, FrameClasses, AsyncDisposable {
	/** What `navigator.mediaDevices` is in a browser. */
	readonly mediaDevices: media.MediaDevices;
	/**
	 * Resolves when a worker is there; to read it connects, if nothing has yet. What goes wrong later is `onlost`'s.
	 * Rejects with an InvalidStateError that says why there is none, and whose `cause` is the error behind it.
	 */
	readonly ready: Promise<void>;
	/** Called with the reason, as `ready` has it, when a session is lost: its objects are, and the next ones get another. */
	onlost: ((error: Error) => void) | null;
	/** Media types that the worker encodes and decodes: `audio/opus`, `video/VP8`. Empty before `ready` has resolved. */
	readonly codecs: readonly string[];
	/** What the token allows beyond peers of the network. Empty before `ready` has resolved. */
	readonly capabilities: readonly Capability[];
	/** Ends its sessions, and with them every object, for good; `await using` does so, too. */
	close(): Promise<void>;
}

/** Those of `module`'s classes whose names match; all but classes are helpers. */
function pick<M extends object, N extends string>(module: M, names: RegExp): Pick<M, keyof M & N> {
	const picked = Object.entries(module).filter(([name]) => names.test(name));
	return Object.fromEntries(picked) as Pick<M, keyof M & N>;
}

/** A shim with subclasses of its own: several in one program do not meet. */
export function bindShim(sessions: Sessions): Shim {
	const RTCPeerConnection = bindContext(api.RTCPeerConnection, sessions);
	const MediaStreamTrackGenerator = bindContext(media.MediaStreamTrackGenerator, sessions);
	const VideoFrame = bindContext(media.VideoFrame, sessions);
	return makeShim({ ...classes, ...frameClasses, RTCPeerConnection, MediaStreamTrackGenerator, VideoFrame }, sessions);
}

/** The shim whose classes are those that the modules export. */
export function defaultShim(sessions: Sessions): Shim {
	setContext(api.RTCPeerConnection, sessions);
	setContext(media.MediaStreamTrackGenerator, sessions);
	setContext(media.VideoFrame, sessions);
	return makeShim({ ...classes, ...frameClasses }, sessions);
}

function makeShim(own: Classes & FrameClasses, sessions: Sessions): Shim {
	const close = () => sessions.close();
	return {
		...own,
		...asyncDisposable(close),
		mediaDevices: media.createMediaDevices(sessions),
		close,
		get ready() {
			return sessions.ready();
		},
		get onlost() {
			return sessions.onlost;
		},
		set onlost(handler) {
			sessions.onlost = handler;
		},
		get codecs() {
			return sessions.welcome?.worker.codecs ?? [];
		},
		get capabilities() {
			return sessions.welcome?.capabilities ?? [];
		},
	};
}
