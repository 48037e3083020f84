import * as api from '../shim/api/index.ts';
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
export interface Shim extends Classes, FrameClasses {
	/** What `navigator.mediaDevices` is in a browser. */
	readonly mediaDevices: media.MediaDevices;
	/** Ends its sessions, and with them every object. */
	close(): Promise<void>;
}

/** Those of `module`'s classes whose names match; all but classes are helpers. */
function pick<M extends object, N extends string>(module: M, names: RegExp): Pick<M, keyof M & N> {
	const picked = Object.entries(module).filter(([name]) => names.test(name));
	return Object.fromEntries(picked) as Pick<M, keyof M & N>;
}

/** A shim with subclasses of its own: several in one program do not meet. */
export function bindShim(sessions: Sessions): Shim {
	return {
		...classes,
		...frameClasses,
		RTCPeerConnection: bindContext(api.RTCPeerConnection, sessions),
		MediaStreamTrackGenerator: bindContext(media.MediaStreamTrackGenerator, sessions),
		VideoFrame: bindContext(media.VideoFrame, sessions),
		mediaDevices: media.createMediaDevices(sessions),
		close: () => sessions.close(),
	};
}

/** The shim whose classes are those that the modules export. */
export function defaultShim(sessions: Sessions): Shim {
	setContext(api.RTCPeerConnection, sessions);
	setContext(media.MediaStreamTrackGenerator, sessions);
	setContext(media.VideoFrame, sessions);
	return {
		...classes,
		...frameClasses,
		mediaDevices: media.createMediaDevices(sessions),
		close: () => sessions.close(),
	};
}
