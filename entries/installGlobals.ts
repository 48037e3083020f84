import { showsTracks } from '../shim/media/index.ts';
import { type Classes, classes, frameClasses, type Shim } from './shim.ts';

/** What `navigator.userAgentData` is read for. */
interface UserAgentData {
	readonly brands: readonly { brand: string; version: string }[];
	readonly mobile: boolean;
	readonly platform: string;
}

export interface InstallOptions {
	/** Leaves alone the devices that the target has: a page's camera can be sent as it is. */
	readonly keepDevices?: boolean;
	/**
	 * Makes `target` its own `window`, for libraries that look for `window.RTCPeerConnection`. Not unless asked for: more
	 * libraries take a `window` for a page's, and then expect a document, a location and storage.
	 */
	readonly window?: boolean;
}

/**
 * Makes a shim's classes globals of `target`, and its devices those of `navigator`. The host's MediaStream and tracks stay
 * where remote tracks are made of them.
 *
 * @returns a function that puts everything back as it was
 */
export function installGlobals(
	target: object,
	shim: Shim,
	{ keepDevices = false, window = false }: InstallOptions = {},
): () => void {
	const undo: (() => void)[] = [];
	const define = (on: object, name: string, value: unknown, enumerable: boolean) => {
		const before = Object.getOwnPropertyDescriptor(on, name);
		Object.defineProperty(on, name, { value, enumerable, writable: true, configurable: true });
		undo.push(() => {
			if (before) Object.defineProperty(on, name, before);
			else Reflect.deleteProperty(on, name);
		});
	};
	for (const name of Object.keys(classes) as (keyof Classes & string)[]) {
		// Where the host's own tracks carry ours, only its own streams are played.
		if (name.startsWith('RTC') || !showsTracks) define(target, name, shim[name], false);
	}
	for (const name of Object.keys(frameClasses) as (keyof typeof frameClasses)[]) {
		if (!(name in target)) define(target, name, shim[name], false);
	}
	if (window && !('window' in target)) define(target, 'window', target, true);
	if (!('navigator' in target)) define(target, 'navigator', { userAgent: userAgent() }, true);
	const { navigator } = target as { navigator: object };
	if (!keepDevices || !('mediaDevices' in navigator)) define(navigator, 'mediaDevices', shim.mediaDevices, true);
	const { userAgentData } = navigator as { userAgentData?: UserAgentData };
	if (!isChromium(userAgentData)) define(navigator, 'userAgentData', brandAsChromium(userAgentData), true);
	return () => {
		for (const step of undo.reverse()) step();
	};
}

/** What Node has had since 21, where there is no navigator: who finds one reads this of it. */
function userAgent(): string {
	const { process } = globalThis as { process?: { versions: { node?: string } } };
	return `Node.js/${Number.parseInt(process?.versions.node ?? '', 10) || 0}`;
}

function isChromium(data: UserAgentData | undefined): boolean {
	return data?.brands.some(({ brand }) => brand === CHROMIUM.brand) ?? false;
}

/**
 * By the brand mediasoup-client and others know an engine's WebRTC; `userAgent`, which more things depend on, stays.
 * The host's own brands (Deno has one) stay, too.
 */
function brandAsChromium({ brands, mobile, platform }: UserAgentData = NOBODY): UserAgentData {
	return { brands: [...brands, CHROMIUM], mobile, platform };
}

const CHROMIUM = { brand: 'Chromium', version: '140' };
const NOBODY: UserAgentData = { brands: [], mobile: false, platform: '' };
