/** First in, first out, without moving the rest at each step as Array.shift() does. */
export class Queue<T> {
	#items: T[] = [];
	#head = 0;

	get length(): number {
		return this.#items.length - this.#head;
	}

	push(item: T): void {
		this.#items.push(item);
	}

	peek(): T | undefined {
		return this.#items[this.#head];
	}

	last(): T | undefined {
		return this.length > 0 ? this.#items[this.#items.length - 1] : undefined;
	}

	shift(): T | undefined {
		if (this.length === 0) return undefined;
		const item = this.#items[this.#head];
		// What was taken is let go at once, and the array is cut when half of it is gone.
		this.#items[this.#head++] = undefined as T;
		if (this.#head === this.#items.length) this.clear();
		else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
			this.#items.splice(0, this.#head);
			this.#head = 0;
		}
		return item;
	}

	/** Keeps the items that `wanted` says, in order. */
	filter(wanted: (item: T) => boolean): void {
		this.#items = this.#items.slice(this.#head).filter(wanted);
		this.#head = 0;
	}

	clear(): void {
		this.#items = [];
		this.#head = 0;
	}

	*[Symbol.iterator](): IterableIterator<T> {
		for (let i = this.#head; i < this.#items.length; i++) yield this.#items[i] as T;
	}
}
