interface Host {
	process?: {
		getBuiltinModule?(name: string): { setMaxListeners?(count: number, ...targets: EventTarget[]): void } | undefined;
	};
}

const { setMaxListeners } = (globalThis as Host).process?.getBuiltinModule?.('events') ?? {};

/**
 * Lets any number listen, as browsers do: Node takes the eleventh listener of an event for a leak, and says so, while a
 * track that is sent by eleven producers has as many. Other hosts have nothing to be told.
 */
export function allowManyListeners(target: EventTarget): void {
	setMaxListeners?.(0, target);
}
