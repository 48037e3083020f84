/** What every peer in JavaScript does alike: takes asks, line by line, and does them with its library's connection. */
import { createInterface } from 'node:readline';
import type { Asks } from '../peer.ts';

/** Bytes in a channel's buffer past which a flood waits; half of them let it go on. */
export const HIGH = 1 << 20;

/** One end of a connection with one channel, in a library's own terms. */
export interface Connection {
	/** Gathers, and gives the offer. */
	offer(): Promise<string>;
	answer(offer: string): Promise<string>;
	/** Resolves when the channel is open. */
	accept(answer: string): Promise<void>;
	send(data: string | Uint8Array<ArrayBuffer>): void;
	/** Resolves when more may be sent; null when it may be now. */
	room(): Promise<unknown> | null;
	/** A second channel that sends 16 KiB messages as fast as it takes them, until it is told to stop. */
	bulk?(on: boolean): Promise<void>;
	/** As the ask has it. */
	transfer?(bytes: number): Promise<{ seconds: number; digest: string }>;
	digest?(): string;
	close(): void;
}

/** Makes a connection; `onmessage` gets a text, or null for bytes, with a function that sends those back. */
export type Connect = (onmessage: (text: string | null, echo: () => void) => void) => Connection;

/** Serves until standard input ends. */
export async function serve(connect: Connect): Promise<void> {
	let connection = connect(onMessage);
	let expected = 0;
	let onEcho: (() => void) | null = null;

	function onMessage(text: string | null, echo: () => void): void {
		if (text !== null) {
			if (text.startsWith('flood ')) expected = Number(text.slice(6));
			else onEcho?.();
		} else if (expected > 0) {
			if (--expected === 0) connection.send('done');
		} else if (onEcho) onEcho();
		else echo();
	}

	const does: { [A in keyof Asks]: (params: Asks[A]['in']) => Promise<Asks[A]['out']> } = {
		async offer() {
			return { sdp: await connection.offer() };
		},
		async answer({ sdp }) {
			return { sdp: await connection.answer(sdp) };
		},
		async accept({ sdp }) {
			await connection.accept(sdp);
			return {};
		},
		async ping({ count, bytes }) {
			const message = new Uint8Array(bytes);
			const trips: number[] = [];
			for (let sent = 0; sent < count; sent++) {
				const started = performance.now();
				await new Promise<void>((resolve) => {
					onEcho = resolve;
					connection.send(message);
				});
				trips.push(performance.now() - started);
			}
			onEcho = null;
			return { trips };
		},
		async flood({ count, bytes }) {
			const message = new Uint8Array(bytes);
			const done = new Promise<void>((resolve) => {
				onEcho = resolve;
			});
			const started = performance.now();
			connection.send(`flood ${count}`);
			for (let sent = 0; sent < count; sent++) {
				const room = connection.room();
				if (room) await room;
				connection.send(message);
			}
			await done;
			onEcho = null;
			return { seconds: (performance.now() - started) / 1000 };
		},
		async bulk({ on }) {
			await connection.bulk?.(on);
			return {};
		},
		async transfer({ bytes }) {
			if (!connection.transfer) throw new Error('this peer transfers nothing');
			return connection.transfer(bytes);
		},
		async digest() {
			return { digest: connection.digest?.() ?? '' };
		},
		async close() {
			connection.close();
			connection = connect(onMessage);
			return {};
		},
	};

	for await (const line of createInterface(process.stdin)) {
		const { do: what, ...params } = JSON.parse(line) as { do: keyof Asks };
		const answer = await (does[what] as (params: object) => Promise<object>)(params);
		console.log(JSON.stringify(answer));
	}
	connection.close();
}
