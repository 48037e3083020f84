import type { Remote } from './Remote.ts';
import type { Session } from './Session.ts';
import { closeOrder } from './schema.ts';
import type { ObjectIn, ObjectType } from './types.ts';

/** What a scope knows of the objects that it ends. */
interface Owned {
	readonly type: ObjectType;
	drop(): void;
}

/**
 * Owns what is made under it: objects of the worker, holds on the process, narrower scopes. A session has a scope; under
 * it each connection has one, under that each transport and each transceiver. The end of a scope ends all of them.
 *
 * A scope that has ended makes dead objects: the worker never has them, they hear `onlost` in a task, and their calls are
 * rejected, as those of a lost session. So who creates needs no second way for an end that came in between.
 */
export class Scope {
	readonly session: Session;
	/** What it counts for when a session is chosen for something new, beside what is under it. */
	weight = 0;
	readonly #parent: Scope | null;
	readonly #scopes = new Set<Scope>();
	readonly #objects = new Set<Owned>();
	readonly #ends = new Set<() => void>();
	#isDisposed = false;

	constructor(session: Session, parent: Scope | null = null) {
		this.session = session;
		this.#parent = parent;
		if (!parent) return;
		if (parent.isDisposed) this.#isDisposed = true;
		else parent.#scopes.add(this);
	}

	get isDisposed(): boolean {
		return this.#isDisposed;
	}

	/** The weight of the whole subtree. */
	get load(): number {
		let sum = 0;
		for (const { weight } of this.#subtree()) sum += weight;
		return sum;
	}

	/** A narrower scope, which ends with this one at the latest. */
	child(): Scope {
		return new Scope(this.session, this);
	}

	/**
	 * Makes an object in the worker. It may be used at once: frames start in order.
	 *
	 * @throws {InvalidStateError} `params` name an object of another session
	 */
	create<T extends ObjectType>(type: T, params: ObjectIn<T>): Remote<T> {
		const remote = this.session.make(this, type, params);
		if (!this.#isDisposed) this.#objects.add(remote);
		return remote;
	}

	/** An object was dropped before its scope ended. */
	forget(object: Owned): void {
		this.#objects.delete(object);
	}

	/** Keeps the process alive until the scope ends, or until the function that it returns is called. */
	hold(): () => void {
		return this.defer(this.session.hold());
	}

	/** Calls `end` once: when the scope ends, or earlier, by the function that it returns. */
	defer(end: () => void): () => void {
		const once = (): void => {
			if (this.#ends.delete(once)) end();
		};
		this.#ends.add(once);
		if (this.#isDisposed) once();
		return once;
	}

	/**
	 * Ends what is under it, once: first the objects of the whole subtree, in the order in which the worker closes those of
	 * a session and the last made first, then what was deferred.
	 */
	dispose(): void {
		if (this.#isDisposed) return;
		const scopes = [...this.#subtree()].reverse();
		for (const scope of scopes) scope.#isDisposed = true;
		const objects = scopes.flatMap((scope) => [...scope.#objects].reverse());
		for (const object of objects.sort((a, b) => closeOrder[a.type] - closeOrder[b.type])) object.drop();
		for (const scope of scopes) for (const end of [...scope.#ends].reverse()) end();
		if (this.#parent) this.#parent.#scopes.delete(this);
	}

	*#subtree(): Iterable<Scope> {
		yield this;
		for (const scope of this.#scopes) yield* scope.#subtree();
	}
}
