import { CloseCode, type Frame } from './frames.ts';
import type { Welcome } from './hello.ts';
import type { SocketFactory } from './Socket.ts';

/** Where a bridge listens, and what it wants to be shown. */
export interface Endpoint {
	url: string;
	token: string;
	/** How it is reached, when not by LinkOptions.openSocket. */
	openSocket?: SocketFactory;
	/** For its answer to a first hello, where that may wait for a worker to start and is sure to come. */
	answerSeconds?: number;
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
	/** Seconds for which a bridge that cannot be reached is tried before the session begins; 5 unless given. */
	patienceSeconds?: number;
}

const MEANING: Record<number, string> = {
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
		super(`${reason || MEANING[code] || 'the connection to the bridge was closed'} (${code})`);
		this.code = code;
	}
}
