import type { ErrorInfo } from './schema.ts';

/** Stands for the place of a call, so that its failure can say it. */
export interface Caller {
	stack?: string;
}

/** The stack of whoever called `method`. */
export function captureCaller(method: (...args: never[]) => unknown): Caller {
	const caller: Caller = {};
	// V8 and JavaScriptCore have it; elsewhere the stack has this file's frames on top.
	const { captureStackTrace } = Error as { captureStackTrace?: (target: object, above: unknown) => void };
	if (captureStackTrace) captureStackTrace(caller, method);
	else caller.stack = new Error().stack;
	return caller;
}

/** The error that the worker, or the link's end, gave a call, with the stack of its caller. */
export function makeError({ name, message }: ErrorInfo, caller?: Caller): Error {
	const error = construct(name, message);
	if (caller?.stack !== undefined) {
		const frames = caller.stack.slice(caller.stack.indexOf('\n') + 1);
		Object.defineProperty(error, 'stack', {
			value: `${name}: ${message}\n${frames}`,
			configurable: true,
			writable: true,
		});
	}
	return error;
}

function construct(name: string, message: string): Error {
	if (name === 'TypeError') return new TypeError(message);
	if (name === 'RangeError') return new RangeError(message);
	return new DOMException(message, name);
}

/** Why a session is over, as its calls, its objects and its shim say it: of one class, with the error behind it as `cause`. */
export function lostSession(cause: Error, hadBegun: boolean): DOMException {
	const message = hadBegun ? `the session was lost: ${cause.message}` : cause.message;
	return withCause(new DOMException(message, 'InvalidStateError'), cause);
}

/** That of a call, with the stack of its caller. */
export function lostCall({ name, message, cause }: DOMException, caller: Caller): Error {
	return withCause(makeError({ name, message }, caller), cause);
}

function withCause<E extends Error>(error: E, cause: unknown): E {
	if (cause !== undefined) Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
	return error;
}
