import { CloseCode, type Frame } from './frames.ts';
import type { Welcome } from './hello.ts';
import type { Log } from './log.ts';
import type { Refusal, SocketFactory } from './Socket.ts';

/** Where a bridge listens, and what it wants to be shown. */
export interface Endpoint {
	url: string;
	token: string;
	/** How it is reached, when not by LinkOptions.openSocket. */
	openSocket?: SocketFactory;
	/** For its answer to a first hello, which may wait for a worker to start, and for others that came before; 30 unless given. */
	answerSeconds?: number;
	/** What to look at when no socket opens there: the end of a sentence. */
	advice?: string;
}

export interface LinkOptions {
	/** Finds the bridge, or starts it; called for each socket. */
	connect: () => Endpoint | Promise<Endpoint>;
	openSocket: SocketFactory;
	client: string;
	/** The session began, or was taken up by a new socket. */
	onwelcome(welcome: Welcome): void;
	/** A frame came; `size` is what took() is to be told once all of it was dispatched, 0 when it is not counted. */
	onframe(frame: Frame, size: number): void;
	/** The session is lost for good; called at most once. */
	onfailure(error: Error): void;
	/** Sees each frame but hello, which holds secrets. */
	debug?: (direction: '→' | '←', frame: Frame) => void;
	/** Hears at once of a bridge that cannot be reached, which is tried for some time. */
	log?: Log;
	/** Seconds for which a bridge that cannot be reached is tried before the session begins; 5 unless given. */
	patienceSeconds?: number;
	/** Seconds for which a bridge that has no place for another session is tried, asked at each answer; 60 unless given. */
	roomSeconds?: () => number | undefined;
}

const MEANING: Record<number, string> = {
	[CloseCode.tryAgainLater]: 'the bridge has too much to do',
	[CloseCode.protocol]: 'the protocol was broken',
	[CloseCode.token]: 'the token is wrong or missing',
	[CloseCode.version]: 'the bridge speaks another version',
	[CloseCode.limit]: 'a limit was reached',
	[CloseCode.unknownSession]: 'the session is unknown to the bridge',
	[CloseCode.replaced]: 'another socket took the session up',
	[CloseCode.workerDied]: 'the worker died',
	[CloseCode.shuttingDown]: 'the bridge is shutting down',
};

/** The session is lost; `code` is that of the WebSocket's close. */
export class LinkError extends Error {
	override readonly name = 'LinkError';
	readonly code: number;

	constructor(code: number, reason: string) {
		const text = reason || MEANING[code] || 'the connection to the bridge was closed';
		// The bridge's own codes are of use to a person; those of a broken connection say nothing.
		super(code >= 4000 ? `${text} (${code})` : text);
		this.code = code;
	}

	/** Whether, before a session began, it says that the bridge has no place now and may have one later. */
	get isFull(): boolean {
		return this.code === CloseCode.limit || this.code === CloseCode.tryAgainLater;
	}
}

/** A server answered the request for a WebSocket with a status: a bridge that refuses, or a proxy before it. */
export class RefusedError extends LinkError {
	readonly status: number;

	constructor(url: string, { status, reason }: Refusal) {
		super(1006, `${url} refused the connection: ${reason || 'no reason given'} (HTTP ${status})`);
		this.status = status;
	}

	/** Whether the same request may be let in a little later: too many at once, or a proxy whose bridge starts. */
	get isTemporary(): boolean {
		return this.status >= 500 || [408, 425, 429].includes(this.status);
	}
}
