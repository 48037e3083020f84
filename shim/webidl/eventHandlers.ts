/**
 * Event handler attributes (`onopen`, …) and an EventTarget whose listeners are typed.
 * @see https://html.spec.whatwg.org/multipage/webappapis.html#event-handler-idl-attributes
 */

type Listener<Target, Event> = ((this: Target, event: Event) => unknown) | { handleEvent(event: Event): unknown };

/** An EventTarget that knows the events of `Events`, a map such as lib.dom's `RTCDataChannelEventMap`. */
export interface EventTargetOf<Events> extends EventTarget {
	addEventListener<K extends keyof Events>(
		type: K,
		listener: Listener<this, Events[K]> | null,
		options?: boolean | AddEventListenerOptions,
	): void;
	addEventListener(
		type: string,
		listener: EventListenerOrEventListenerObject | null,
		options?: boolean | AddEventListenerOptions,
	): void;
	removeEventListener<K extends keyof Events>(
		type: K,
		listener: Listener<this, Events[K]> | null,
		options?: boolean | EventListenerOptions,
	): void;
	removeEventListener(
		type: string,
		listener: EventListenerOrEventListenerObject | null,
		options?: boolean | EventListenerOptions,
	): void;
}

/** The host's EventTarget, typed: `class RTCDataChannel extends eventTargetOf<RTCDataChannelEventMap>()`. */
export function eventTargetOf<Events>(): new () => EventTargetOf<Events> {
	return EventTarget as new () => EventTargetOf<Events>;
}

interface Slot {
	/** What the attribute gives back: a function, or an object that was set and is never called. */
	value: object;
}

type Slots = Map<string, Slot>;

const slotsOf = new WeakMap<EventTarget, Slots>();

/**
 * Adds an `on…` accessor to the prototype for each event type. A handler keeps the place of its first setting among
 * the listeners until it is set to null; a value that is no object is null.
 *
 * @param type the class, whose `on…` members are declared with `declare`
 * @param events event types, without the `on`
 */
export function defineEventHandlers(type: { prototype: EventTarget; name: string }, events: readonly string[]): void {
	for (const event of events) {
		const name = `on${event}`;
		// An object literal gives the accessors the names that Web IDL asks for: `get onopen`, `set onopen`.
		const { get, set } = Object.getOwnPropertyDescriptor(
			{
				get [name](): object | null {
					return slotsOf.get(instance(this, type))?.get(event)?.value ?? null;
				},
				set [name](value: unknown) {
					assign(instance(this, type), event, value);
				},
			},
			name,
		)!;
		Object.defineProperty(type.prototype, name, { get, set, enumerable: true, configurable: true });
	}
}

function instance(target: unknown, type: { prototype: object; name: string }): EventTarget {
	if (target instanceof EventTarget && Object.prototype.isPrototypeOf.call(type.prototype, target)) return target;
	throw new TypeError(`Illegal invocation: this is no ${type.name}`);
}

function assign(target: EventTarget, event: string, value: unknown): void {
	const slots: Slots = slotsOf.get(target) ?? new Map<string, Slot>();
	slotsOf.set(target, slots);
	const slot = slots.get(event);
	if (!isObject(value)) {
		if (!slot) return;
		slots.delete(event);
		target.removeEventListener(event, listenerOf(slot));
		return;
	}
	if (slot) {
		slot.value = value;
		return;
	}
	const created = { value };
	slots.set(event, created);
	target.addEventListener(event, listenerOf(created));
}

function isObject(value: unknown): value is object {
	return typeof value === 'function' || (typeof value === 'object' && value !== null);
}

const listeners = new WeakMap<Slot, (event: Event) => void>();

function listenerOf(slot: Slot): (event: Event) => void {
	const known = listeners.get(slot);
	if (known) return known;
	const listener = function (this: unknown, event: Event): void {
		if (typeof slot.value !== 'function') return;
		if (Reflect.apply(slot.value, event.currentTarget, [event]) === false) event.preventDefault();
	};
	listeners.set(slot, listener);
	return listener;
}
