/** What `await using` ends an object by; nothing in a runtime that has no such symbol, as Node before 20.5. */
export function asyncDisposable(close: () => Promise<void>): AsyncDisposable {
	return Symbol.asyncDispose ? { [Symbol.asyncDispose]: close } : ({} as AsyncDisposable);
}
