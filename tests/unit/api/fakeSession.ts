/** A session without a worker: it remembers what was asked of it, and says what a test has it say. */

import { Scope } from '../../../shim/rpc/Scope.ts';
import type { Session } from '../../../shim/rpc/Session.ts';
import { nextTask } from '../../../shim/webidl/task.ts';

/** What a Remote does, for any type of object. */
export class FakeRemote {
	readonly type: string;
	readonly id: number;
	readonly params: Record<string, unknown>;
	readonly calls: [name: string, params: Record<string, unknown>][] = [];
	readonly sent: unknown[] = [];
	readonly #listeners = new Map<string, (out: unknown) => void>();
	/** Names of calls that are refused. */
	readonly refused = new Map<string, Error>();
	isDropped = false;
	bufferedAmount = 0;
	onmessage: ((data: unknown) => void) | null = null;
	onbuffered: ((amount: number) => void) | null = null;
	onlost: ((error: Error) => void) | null = null;

	constructor(type: string, id: number, params: Record<string, unknown>) {
		this.type = type;
		this.id = id;
		this.params = params;
	}

	on(event: string, listener: (out: unknown) => void): void {
		this.#listeners.set(event, listener);
	}

	async call(name: string, params: Record<string, unknown>): Promise<unknown> {
		this.calls.push([name, asSent(params)]);
		const error = this.refused.get(name);
		if (error) throw error;
		return {};
	}

	async callAfterSent(name: string, params: Record<string, unknown>): Promise<unknown> {
		return this.call(name, params);
	}

	send(data: Uint8Array): void {
		this.sent.push([...data]);
		this.bufferedAmount += data.length;
	}

	sendOwned(bytes: Uint8Array, text: boolean): void {
		this.sent.push(text ? new TextDecoder().decode(bytes) : [...bytes]);
		this.bufferedAmount += bytes.length;
	}

	drop(): void {
		this.isDropped = true;
	}

	/** An event of the worker, in a task of its own. */
	async emit(event: string, out: object = {}): Promise<void> {
		await nextTask();
		if (!this.isDropped) this.#listeners.get(event)?.(out);
	}

	/** The worker has let bytes leave. */
	async credit(bytes: number): Promise<void> {
		await nextTask();
		this.bufferedAmount -= bytes;
		this.onbuffered?.(this.bufferedAmount);
	}

	/** Names of the calls so far. */
	get called(): string[] {
		return this.calls.map(([name]) => name);
	}
}

/** Parameters as they are sent: a handle is named by its id. */
function asSent(params: object): Record<string, unknown> {
	const named = ([name, value]: [string, unknown]) => [name, value instanceof FakeRemote ? value.id : value];
	return Object.fromEntries(Object.entries(params).map(named));
}

export class FakeSession {
	readonly remotes: FakeRemote[] = [];
	readonly scope = new Scope(this.session);
	failure: Error | null = null;
	holds = 0;
	/** Whether certificates are ready by themselves. */
	readonly #certifies: boolean;

	constructor({ certifies = true } = {}) {
		this.#certifies = certifies;
	}

	/** As the shim takes it. */
	get session(): Session {
		return this as unknown as Session;
	}

	/** What scopes make objects by. */
	make(_scope: Scope, type: string, params: Record<string, unknown>): FakeRemote {
		const remote = new FakeRemote(type, this.remotes.length + 1, asSent(params));
		this.remotes.push(remote);
		if (type === 'Certificate' && this.#certifies) void this.certify(remote);
		return remote;
	}

	create(type: string, params: Record<string, unknown>): FakeRemote {
		return this.scope.create(type as never, params as never) as unknown as FakeRemote;
	}

	hold(): () => void {
		this.holds += 1;
		return () => {
			this.holds -= 1;
		};
	}

	async certify(certificate: FakeRemote): Promise<void> {
		const value = Array.from({ length: 32 }, () => 'AB').join(':');
		await certificate.emit('ready', { fingerprints: [{ algorithm: 'sha-256', value }], expires: Date.now() + 1e9 });
	}

	/** The objects of a type, in the order in which they were made. */
	of(type: string): FakeRemote[] {
		return this.remotes.filter((remote) => remote.type === type);
	}

	/** Loses the session. */
	async lose(): Promise<void> {
		await nextTask();
		this.failure = new Error('the session was lost');
		for (const remote of this.remotes) if (!remote.isDropped) remote.onlost?.(this.failure);
	}
}
