import type { Session } from './Session.ts';

/** Where a root object of the API (RTCPeerConnection, MediaDevices) finds its session. */
export interface Context {
	/**
	 * The session for what comes next, which connects in the background when it is first asked for. What is made ahead
	 * of a connection is so made where that will be.
	 */
	session(): Session;
}

type Class = abstract new (...args: never[]) => object;

const contexts = new WeakMap<object, Context>();

/**
 * A class whose objects live in the sessions of `context`: a subclass that keeps name, length and statics.
 * Several shims in one program have each their own.
 */
export function bindContext<C extends Class>(type: C, context: Context): C {
	const Base = type as unknown as new (...args: unknown[]) => object;
	const Bound = class extends Base {};
	Object.defineProperty(Bound, 'name', { value: type.name, configurable: true });
	Object.defineProperty(Bound, 'length', { value: type.length, configurable: true });
	// Detached statics (`const { generateCertificate } = RTCPeerConnection`) keep the shim they came from.
	for (const [name, { value, enumerable }] of Object.entries(Object.getOwnPropertyDescriptors(type))) {
		if (typeof value !== 'function') continue;
		Object.defineProperty(Bound, name, { value: value.bind(Bound), enumerable, writable: true, configurable: true });
	}
	contexts.set(Bound, context);
	return Bound as unknown as C;
}

/** Gives the class itself a context, for the shim whose classes are the globals. */
export function setContext(type: Class, context: Context): void {
	contexts.set(type, context);
}

/**
 * The context of a class or of one derived from it; `new.target` in a constructor.
 *
 * @throws {InvalidStateError} neither bindContext nor setContext was called for it
 */
export function contextOf(type: object): Context {
	for (let each: object | null = type; each; each = Object.getPrototypeOf(each)) {
		const context = contexts.get(each);
		if (context) return context;
	}
	throw new DOMException('This class belongs to no shim; take it from createShim()', 'InvalidStateError');
}
