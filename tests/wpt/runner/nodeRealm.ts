/**
 * A window of jsdom has a JavaScript realm of its own. A Node program has one realm only, so the two are joined here.
 */
import type { DOMWindow } from 'jsdom';

/** As much of FileReader as the tests' helpers need, since jsdom's refuses Node's Blob. */
class FileReader extends EventTarget {
	result: ArrayBuffer | null = null;
	onload: ((event: Event) => void) | null = null;

	async readAsArrayBuffer(blob: Blob): Promise<void> {
		this.result = await blob.arrayBuffer();
		const event = new Event('load');
		this.onload?.(event);
		this.dispatchEvent(event);
	}
}

/** What the shim's objects are made of and its errors are: the window gets it for jsdom's. */
const constructors = {
	Function,
	Promise,
	Error,
	TypeError,
	RangeError,
	SyntaxError,
	DOMException,
	ArrayBuffer,
	DataView,
	Int8Array,
	Uint8Array,
	Uint8ClampedArray,
	Int16Array,
	Uint16Array,
	Int32Array,
	Uint32Array,
	Float32Array,
	Float64Array,
	BigInt64Array,
	BigUint64Array,
	Event,
	EventTarget,
	MessageEvent,
	Blob,
	FileReader,
	TextEncoder,
	TextDecoder,
};

/** What the engine itself throws at a page, of the page's realm. */
const THROWN = ['TypeError', 'RangeError', 'SyntaxError', 'ReferenceError'] as const;

/** Gives a window the constructors of Node's realm; what the engine throws there is an instance of them, too. */
export function joinRealms(window: DOMWindow): void {
	for (const name of THROWN) {
		const own = window[name].prototype;
		Object.setPrototypeOf(own, globalThis[name].prototype);
		Reflect.deleteProperty(own, 'constructor');
	}
	Object.assign(window, constructors);
}

/** Lets the interfaces that inherit from none inherit from the window's `Object`, as in a page that defines them. */
export function adoptInterfaces(window: DOMWindow, interfaces: object): void {
	for (const each of Object.values(interfaces)) {
		const prototype = typeof each === 'function' && each.prototype;
		if (prototype && Object.getPrototypeOf(prototype) === Object.prototype)
			Object.setPrototypeOf(prototype, window.Object.prototype);
	}
}
