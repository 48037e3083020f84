/** A session for the unit tests of media: remembers what was made and called, and answers what it was told to. */

import type { Remote } from '../../shim/rpc/Remote.ts';
import { Scope } from '../../shim/rpc/Scope.ts';
import type { Session } from '../../shim/rpc/Session.ts';
import type { MediaHeader } from '../../shim/rpc/types.ts';

type Listener = (out: unknown) => void;

export class FakeRemote {
	readonly session: FakeSession;
	onmedia: ((header: MediaHeader, planes: Uint8Array<ArrayBuffer>) => void) | null = null;
	onresumed: (() => void) | null = null;
	onlost: ((error: Error) => void) | null = null;
	readonly calls: [name: string, params: unknown][] = [];
	readonly written: [MediaHeader, Uint8Array][] = [];
	credits = 0;
	discarded = 0;
	dropped = false;
	readonly #listeners = new Map<string, Listener>();
	readonly id: number;
	readonly type: string;
	readonly params: Record<string, unknown>;
	/** Called when there is room for a frame of media again. */
	readonly #onroom: (() => void)[] = [];

	constructor(session: FakeSession, id: number, type: string, params: Record<string, unknown>) {
		this.session = session;
		this.id = id;
		this.type = type;
		this.params = params;
	}

	async call(name: string, params: object): Promise<unknown> {
		this.calls.push([name, asSent(params)]);
		return this.session.answer(this, name);
	}

	on(event: string, listener: Listener): void {
		this.#listeners.set(event, listener);
	}

	emit(event: string, out: unknown = {}): void {
		this.#listeners.get(event)?.(out);
	}

	credit(frames: number): void {
		this.credits += frames;
	}

	sendMedia(header: MediaHeader, planes: Uint8Array): boolean {
		this.written.push([header, planes]);
		return true;
	}

	discardMedia(): void {
		this.discarded++;
	}

	mediaRoom(): Promise<void> {
		return new Promise((resolve) => this.#onroom.push(resolve));
	}

	/** The worker has taken what was written. */
	async giveRoom(): Promise<void> {
		for (const resolve of this.#onroom.splice(0)) resolve();
		await new Promise((resolve) => setTimeout(resolve));
	}

	drop(): void {
		this.dropped = true;
	}

	/** As what the shim takes. */
	as<T extends 'RtpReceiver'>(): Remote<T> {
		return this as unknown as Remote<T>;
	}
}

/** Parameters as they are sent: a handle is named by its id. */
function asSent(params: object): Record<string, unknown> {
	const named = ([name, value]: [string, unknown]) => [name, value instanceof FakeRemote ? value.id : value];
	return Object.fromEntries(Object.entries(params).map(named));
}

export class FakeSession {
	readonly made: FakeRemote[] = [];
	readonly scope = new Scope(this.real);
	holds = 0;
	/** What calls give; it may throw. */
	answer: (remote: FakeRemote, name: string) => unknown = opened;

	/** What scopes make objects by. */
	make(_scope: Scope, type: string, params: Record<string, unknown>): FakeRemote {
		const remote = new FakeRemote(this, this.made.length + 1, type, asSent(params));
		this.made.push(remote);
		return remote;
	}

	create(type: string, params: Record<string, unknown>): FakeRemote {
		return this.scope.create(type as never, params as never) as unknown as FakeRemote;
	}

	hold(): () => void {
		this.holds++;
		return () => this.holds--;
	}

	/** The objects of a type that were not dropped. */
	alive(type: string): FakeRemote[] {
		return this.made.filter((remote) => remote.type === type && !remote.dropped);
	}

	/** The session as the shim takes it. */
	get real(): Session {
		return this as unknown as Session;
	}
}

/** A source gives what it was asked for, or 320x240@15. */
function opened({ params }: FakeRemote, name: string): unknown {
	if (name !== 'open') return {};
	const audio = params.audio && { sampleRate: 48_000, channelCount: 1 };
	const video = params.video && { width: 320, height: 240, frameRate: 15, ...params.video };
	return { audio, video };
}
