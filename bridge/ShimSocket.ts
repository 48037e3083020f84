/** What a bridge uses of a shim's socket: `ws` has it, and so has the end of a pair that never leaves the process. */
export interface ShimSocket {
	readonly readyState: number;
	readonly OPEN: number;
	/** Bytes that were sent and are still here. */
	readonly bufferedAmount: number;
	on(event: 'message', listener: (payload: Buffer, binary: boolean) => void): unknown;
	on(event: 'close', listener: (code: number) => void): unknown;
	on(event: 'pong', listener: () => void): unknown;
	on(event: 'error', listener: () => void): unknown;
	once(event: 'message', listener: (payload: Buffer, binary: boolean) => void): unknown;
	send(payload: Buffer | string, options: { binary: boolean }): void;
	/** Asks whether the other end is there (RFC 6455, section 5.5.2), whose host answers: `pong`. */
	ping(): void;
	/** Stops `message`; what comes waits. */
	pause(): void;
	resume(): void;
	close(code: number, reason: string): void;
	terminate(): void;
}
