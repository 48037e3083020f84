import { type Classes, classes, frameClasses, type Shim } from './shim.ts';

/** By which mediasoup-client and others know an engine's WebRTC; `userAgent`, which more things depend on, stays. */
const userAgentData = {
	brands: [{ brand: 'Chromium', version: '140' }],
	mobile: false,
	platform: '',
};

export interface InstallOptions {
	/** Leaves alone the devices that the target has: a page's camera can be sent as it is. */
	readonly keepDevices?: boolean;
}

/**
 * Makes a shim's classes globals of `target`, and its devices those of `navigator`.
 *
 * @returns a function that puts everything back as it was
 */
export function installGlobals(target: object, shim: Shim, { keepDevices = false }: InstallOptions = {}): () => void {
	const undo: (() => void)[] = [];
	const define = (on: object, name: string, value: unknown, enumerable: boolean) => {
		const before = Object.getOwnPropertyDescriptor(on, name);
		Object.defineProperty(on, name, { value, enumerable, writable: true, configurable: true });
		undo.push(() => {
			if (before) Object.defineProperty(on, name, before);
			else Reflect.deleteProperty(on, name);
		});
	};
	for (const name of Object.keys(classes) as (keyof Classes & string)[]) define(target, name, shim[name], false);
	for (const [name, Class] of Object.entries(frameClasses)) {
		if (!(name in target)) define(target, name, Class, false);
	}
	if (!('navigator' in target)) define(target, 'navigator', {}, true);
	const { navigator } = target as { navigator: object };
	if (!keepDevices || !('mediaDevices' in navigator)) define(navigator, 'mediaDevices', shim.mediaDevices, true);
	if (!('userAgentData' in navigator)) define(navigator, 'userAgentData', userAgentData, true);
	return () => {
		for (const step of undo.reverse()) step();
	};
}
