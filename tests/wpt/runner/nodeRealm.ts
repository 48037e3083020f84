/**
 * The constructors of Node's own realm, which the shim's objects are made of and its errors are: the window gets them
 * for jsdom's, as a Node program has them.
 */

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

export const nodeRealm = {
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
