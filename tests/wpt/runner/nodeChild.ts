/** The process of one page in jsdom: told its URL and the factor of its timeouts as arguments, reports over IPC. */
import { webcrypto } from 'node:crypto';
import { type DOMWindow, JSDOM, VirtualConsole } from 'jsdom';
import { installGlobals, shim } from '../../../entries/node.ts';
import { audioContext } from './audioContext.ts';
import { adoptInterfaces, joinRealms } from './nodeRealm.ts';

// A browser reports an error and goes on; so does this.
for (const event of ['uncaughtException', 'unhandledRejection']) {
	process.on(event, (error: unknown) => console.error(`${event}:`, error instanceof Error ? error.stack : error));
}
process.on('disconnect', () => process.exit());

await JSDOM.fromURL(process.argv[2]!, {
	runScripts: 'dangerously',
	resources: 'usable',
	pretendToBeVisual: true,
	virtualConsole: new VirtualConsole().forwardTo(console, { jsdomErrors: 'none' }),
	beforeParse(window) {
		Object.assign(window, {
			__wptReport: (message: string) => process.send!(message),
			__wptPatience: Number(process.argv[3]),
		});
		addPlatform(window);
		joinRealms(window);
		installGlobals(window, shim);
		adoptInterfaces(window, { ...shim, EventTarget, Event });
		define(window, 'AudioContext', audioContext(shim));
	},
});

/** What jsdom lacks and every browser has, none of it WebRTC. */
function addPlatform(window: DOMWindow): void {
	const platform = {
		structuredClone,
		MessageChannel,
		MessagePort,
		ReadableStream,
		WritableStream,
		TransformStream,
		isSecureContext: true,
		gc: globalThis.gc,
		fetch: (input: string, init?: RequestInit) => fetch(new URL(input, window.location.href), init),
	};
	for (const [name, value] of Object.entries(platform)) if (!(name in window)) define(window, name, value);
	if (!window.crypto.subtle) define(window.crypto, 'subtle', webcrypto.subtle);
}

function define(target: object, name: string, value: unknown): void {
	Object.defineProperty(target, name, { value, writable: true, configurable: true });
}
