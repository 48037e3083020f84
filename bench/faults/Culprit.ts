import { createShim, type RTCDataChannel, type RTCPeerConnection, type Shim } from '../../entries/node.ts';
import { openChannel } from './pair.ts';

const OPEN_MS = 15_000;
/** For a session that was lost to be followed by another that works. */
const RECOVER_MS = 40_000;

/** The session that a fault is done to or by: what its program sees is noted. */
export class Culprit {
	readonly shim: Shim;
	/** Events and reasons, in order, as a program hears them. */
	readonly events: string[] = [];
	#lost!: Promise<string>;
	channel!: RTCDataChannel;
	offerer!: RTCPeerConnection;

	constructor(url: string, token: string) {
		this.shim = createShim({ url, token, sessions: 1, log: () => {} });
	}

	/** Connects two connections, and opens a channel between them whose other end sends back what comes. */
	async connect(): Promise<void> {
		this.#lost = new Promise((resolve) => {
			this.shim.onlost = (error) => {
				this.events.push(error.message);
				resolve(error.message);
			};
		});
		this.offerer = new this.shim.RTCPeerConnection();
		const answerer = new this.shim.RTCPeerConnection();
		answerer.ondatachannel = ({ channel }) => {
			channel.onmessage = ({ data }) => channel.send(data);
		};
		this.channel = await openChannel(this.offerer, answerer, OPEN_MS);
		this.offerer.onconnectionstatechange = () => this.events.push(this.offerer.connectionState);
		this.channel.onerror = () => this.events.push('channel error');
		this.channel.onclose = () => this.events.push('channel close');
	}

	/** A UDP port of its connection, which its worker has open. */
	get port(): number {
		const [, port] = /^a=candidate:\S+ 1 udp \d+ \S+ (\d+) typ host/im.exec(this.offerer.localDescription!.sdp) ?? [];
		if (!port) throw new Error('the culprit has no candidate');
		return Number(port);
	}

	/**
	 * Waits for the end of its session, and until the program has heard all of it.
	 *
	 * @returns the reason
	 * @throws {Error} the session lives on
	 */
	async end(milliseconds: number): Promise<string> {
		const reason = await Promise.race([
			this.#lost,
			new Promise<never>((_, reject) => {
				setTimeout(() => reject(new Error(`its session goes on after ${milliseconds / 1000} s`)), milliseconds).unref();
			}),
		]);
		await new Promise((resolve) => setTimeout(resolve, 100));
		for (const event of ['failed', 'channel error', 'channel close']) {
			if (!this.events.includes(event)) throw new Error(`no ${event}: ${this.events.join(', ')}`);
		}
		return reason;
	}

	/**
	 * Connects again with the same shim, as a program that heard of its loss does.
	 *
	 * @returns the milliseconds that it took
	 * @throws {Error} it cannot
	 */
	async recover(): Promise<number> {
		const start = performance.now();
		for (;;) {
			try {
				await this.shim.ready;
				const [offerer, answerer] = [new this.shim.RTCPeerConnection(), new this.shim.RTCPeerConnection()];
				try {
					await openChannel(offerer, answerer, OPEN_MS);
				} finally {
					offerer.close();
					answerer.close();
				}
				return performance.now() - start;
			} catch (error) {
				if (performance.now() - start > RECOVER_MS) throw new Error(`no session after it: ${(error as Error).message}`);
				await new Promise((resolve) => setTimeout(resolve, 500));
			}
		}
	}

	async close(): Promise<void> {
		await this.shim.close();
	}
}
