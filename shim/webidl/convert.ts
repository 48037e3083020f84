/**
 * Conversions of JavaScript values to Web IDL types. Each takes the value and the words that name it in an error.
 * @see https://webidl.spec.whatwg.org/#js-type-mapping
 */

export type Convert<T> = (value: unknown, where: string) => T;

export const any: Convert<unknown> = (value) => value;

export const boolean: Convert<boolean> = (value) => Boolean(value);

/** @throws {TypeError} a symbol, or an object that has no string */
export const domString: Convert<string> = (value, where) => {
	if (typeof value === 'symbol') throw new TypeError(`${where} is a symbol, which has no string`);
	return String(value);
};

/** As DOMString, with lone surrogates replaced by U+FFFD. */
export const usvString: Convert<string> = (value, where) =>
	domString(value, where).replace(/\p{Surrogate}/gu, '\uFFFD');

/** A `double`: a finite number. */
export const double: Convert<number> = (value, where) => {
	const number = toNumber(value, where);
	if (!Number.isFinite(number)) throw new TypeError(`${where} is ${number}; a finite number is required`);
	return number;
};

/** An `unrestricted double`: any number, NaN and infinity too. */
export const unrestrictedDouble: Convert<number> = (value, where) => toNumber(value, where);

/** Integers of `bits` with [EnforceRange]: what is out of range is a TypeError instead of wrapping. */
function enforcedRange(type: string, min: number, max: number): Convert<number> {
	return (value, where) => {
		const number = Math.trunc(toNumber(value, where));
		if (Number.isFinite(number) && number >= min && number <= max) return number + 0;
		throw new TypeError(`${where} is ${number}; ${type} takes ${min} to ${max}`);
	};
}

export const octetEnforced: Convert<number> = enforcedRange('octet', 0, 255);
export const unsignedShortEnforced: Convert<number> = enforcedRange('unsigned short', 0, 65_535);
export const unsignedLongEnforced: Convert<number> = enforcedRange('unsigned long', 0, 4_294_967_295);
export const longLongEnforced: Convert<number> = enforcedRange(
	'long long',
	Number.MIN_SAFE_INTEGER,
	Number.MAX_SAFE_INTEGER,
);
export const unsignedLongLongEnforced: Convert<number> = enforcedRange(
	'unsigned long long',
	0,
	Number.MAX_SAFE_INTEGER,
);

/** An `unsigned long` without [EnforceRange]: modulo 2^32. */
export const unsignedLong: Convert<number> = (value, where) => toNumber(value, where) >>> 0;

/** An `unsigned short` without [EnforceRange]: modulo 2^16. */
export const unsignedShort: Convert<number> = (value, where) => (toNumber(value, where) >>> 0) & 0xffff;

/** A `long` without [EnforceRange]: modulo 2^32, signed. */
export const long: Convert<number> = (value, where) => toNumber(value, where) | 0;

function toNumber(value: unknown, where: string): number {
	if (typeof value === 'symbol' || typeof value === 'bigint') {
		throw new TypeError(`${where} is a ${typeof value}; a number is required`);
	}
	return Number(value);
}

/** @throws {TypeError} the string is none of `values` */
export function enumeration<const Values extends readonly string[]>(
	type: string,
	values: Values,
): Convert<Values[number]> {
	return (value, where) => {
		const string = domString(value, where);
		if (values.includes(string)) return string;
		throw new TypeError(`${where} is '${string}', which is no ${type}: ${values.join(', ')}`);
	};
}

export function nullable<T>(convert: Convert<T>): Convert<T | null> {
	return (value, where) => (value === null || value === undefined ? null : convert(value, where));
}

/** @throws {TypeError} the value has no iterator, or one of its items does not convert */
export function sequence<T>(item: Convert<T>): Convert<T[]> {
	return (value, where) => {
		if (!isIterable(value)) throw new TypeError(`${where} is no sequence`);
		return Array.from(value, (each, index) => item(each, `${where}[${index}]`));
	};
}

export function isIterable(value: unknown): value is Iterable<unknown> {
	return isObject(value) && typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === 'function';
}

export function isObject(value: unknown): value is object {
	return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** An object of one of our classes, or of the host's. */
export function instanceOf<T>(type: abstract new (...args: never[]) => T): Convert<T> {
	return (value, where) => {
		if (value instanceof type) return value;
		throw new TypeError(`${where} is no ${type.name}`);
	};
}

/** A callback function; its `this` and arguments are the caller's business. */
export function callback<F>(): Convert<F> {
	return (value, where) => {
		if (typeof value === 'function') return value as F;
		throw new TypeError(`${where} is no function`);
	};
}

export interface Member<T> {
	convert: Convert<T>;
	presence: 'required' | 'optional' | 'default';
	fallback?: () => T;
}

export function required<T>(convert: Convert<T>): Member<T> & { presence: 'required' } {
	return { convert, presence: 'required' };
}

export function optional<T>(convert: Convert<T>): Member<T> & { presence: 'optional' } {
	return { convert, presence: 'optional' };
}

/** A member with a default; a list or object is made anew for each dictionary. */
export function defaulted<T>(convert: Convert<T>, fallback: () => T): Member<T> & { presence: 'default' } {
	return { convert, presence: 'default', fallback };
}

// biome-ignore lint/suspicious/noExplicitAny: the member's own type is kept by inference; the map must hold them all
type Members = Record<string, Member<any>>;
type Value<M> = M extends Member<infer T> ? T : never;
type OptionalKeys<M extends Members> = { [K in keyof M]: M[K]['presence'] extends 'optional' ? K : never }[keyof M];
type Dictionary<M extends Members> = { [K in Exclude<keyof M, OptionalKeys<M>>]: Value<M[K]> } & {
	[K in OptionalKeys<M>]?: Value<M[K]>;
};

/**
 * A dictionary: undefined and null are an empty one. Members are read in lexicographical order, each once; give those
 * of an inherited dictionary as `inherited`, since they are read first.
 *
 * @throws {TypeError} the value is no object, a required member is missing, or one does not convert
 */
export function dictionary<M extends Members>(members: M): Convert<Dictionary<M>>;
export function dictionary<M extends Members, I extends Members>(
	members: M,
	inherited: I,
): Convert<Dictionary<M> & Dictionary<I>>;
export function dictionary(members: Members, inherited: Members = {}): Convert<Record<string, unknown>> {
	const order = [inherited, members].flatMap((group) => Object.entries(group).sort(([a], [b]) => (a < b ? -1 : 1)));
	return (value, where) => {
		if (value !== undefined && value !== null && !isObject(value)) throw new TypeError(`${where} is no dictionary`);
		const out: Record<string, unknown> = {};
		for (const [name, member] of order) {
			const given: unknown = value === undefined || value === null ? undefined : Reflect.get(value, name);
			if (given !== undefined) out[name] = member.convert(given, `${where}.${name}`);
			else if (member.fallback) out[name] = member.fallback();
			else if (member.presence === 'required') throw new TypeError(`${where}.${name} is required`);
		}
		return out;
	};
}
