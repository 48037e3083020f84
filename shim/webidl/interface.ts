/**
 * What Web IDL asks of an interface's objects and a class does not give by itself.
 * @see https://webidl.spec.whatwg.org/#es-interfaces
 */

type Class = { prototype: object; name: string };

/**
 * Gives a class the tag of its name, and makes its members, static ones too, enumerable.
 * Members with a symbol for a key, the constructor, and those of `hidden` stay as they are.
 */
export function defineInterface(type: Class, hidden: readonly string[] = []): void {
	Object.defineProperty(type.prototype, Symbol.toStringTag, { value: type.name, configurable: true });
	enumerate(type.prototype, ['constructor', ...hidden]);
	enumerate(type, ['prototype', 'name', 'length', ...hidden]);
}

function enumerate(target: object, except: readonly string[]): void {
	for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(target))) {
		if (!except.includes(name)) Object.defineProperty(target, name, { ...descriptor, enumerable: true });
	}
}

const key = Symbol('only the shim constructs it');

/** What the shim gives to a constructor that pages may not call. */
export type ConstructorKey = typeof key;
export const constructorKey: ConstructorKey = key;

/** @throws {TypeError} the caller of the constructor is not the shim */
export function requireKey(given: unknown): void {
	if (given !== key) throw new TypeError('Illegal constructor');
}

/** @throws {TypeError} fewer arguments than the operation requires */
export function requireArguments(given: number, required: number, operation: string): void {
	if (given >= required) return;
	throw new TypeError(`${operation}: ${required} argument${required === 1 ? '' : 's'} required, ${given} given`);
}
