import {
	createShim,
	MediaStreamTrackProcessor,
	type RTCDataChannel,
	type RTCPeerConnection,
	type Shim,
} from '../../entries/node.ts';
import { openChannel } from './pair.ts';

/** For messages under way to come back, when a neighbour pauses. */
const SETTLE_MS = 15_000;
/** In which a picture is to come. */
const PICTURE_MS = 5_000;
/** For a channel to open, on a machine that is busy. */
const CONNECT_MS = 60_000;

export interface NeighbourOptions {
	readonly url: string;
	readonly token: string;
	/** Sends a small picture, too, and reads it at the other end. */
	readonly video: boolean;
	/** Milliseconds between two messages. */
	readonly period: number;
}

/** What a neighbour saw since it was last asked. */
export interface Seen {
	/** Milliseconds of each round trip. */
	readonly trips: number[];
	/** Messages that did not come back. */
	readonly lost: number;
	/** What an honest session must not see, a sentence each. */
	readonly problems: string[];
}

/**
 * An honest session: two connections, and a channel over which numbered messages go and come back. Every
 * message has to come once and in order.
 */
export class Neighbour {
	readonly #shim: Shim;
	readonly #video: boolean;
	readonly #period: number;
	readonly #ends: (() => void)[] = [];
	/** When each message that is not back was sent, by its number. */
	readonly #underWay = new Map<number, number>();
	#trips: number[] = [];
	#problems: string[] = [];
	#sent = 0;
	#pictures = 0;
	#taken = performance.now();
	#isClosing = false;
	#channel: RTCDataChannel | null = null;
	#timer: NodeJS.Timeout | undefined;

	constructor({ url, token, video, period }: NeighbourOptions) {
		this.#shim = createShim({ url, token, sessions: 1, log: ({ message }) => this.#complain(message) });
		this.#shim.onlost = (error) => this.#complain(`its session was lost: ${error.message}`);
		this.#video = video;
		this.#period = period;
	}

	/** Resolves when its channel is open. */
	async connect(): Promise<void> {
		const [offerer, answerer] = [new this.#shim.RTCPeerConnection(), new this.#shim.RTCPeerConnection()];
		this.#ends.push(
			() => offerer.close(),
			() => answerer.close(),
		);
		for (const connection of [offerer, answerer]) {
			connection.addEventListener('connectionstatechange', () => {
				if (/disconnected|failed/.test(connection.connectionState)) {
					this.#complain(`a connection is ${connection.connectionState}`);
				}
			});
		}
		answerer.addEventListener('datachannel', ({ channel }) => {
			channel.onmessage = ({ data }) => channel.send(data);
		});
		if (this.#video) await this.#watch(offerer, answerer);
		const channel = await openChannel(offerer, answerer, CONNECT_MS);
		this.#channel = channel;
		channel.onmessage = ({ data }) => this.#back(Number(data));
		channel.onerror = ({ error }) => this.#complain(`its channel failed: ${error.message}`);
		channel.onclose = () => this.#complain('its channel was closed');
		this.resume();
	}

	/** What happened since the last call; messages under way count when they are back. */
	take(): Seen {
		const seen = { trips: this.#trips, lost: 0, problems: this.#problems };
		const waited = performance.now() - this.#taken;
		if (this.#video && this.#pictures === 0 && waited > PICTURE_MS) seen.problems.push('no picture came');
		this.#taken = performance.now();
		this.#trips = [];
		this.#problems = [];
		this.#pictures = 0;
		return seen;
	}

	/** Stops sending, waits for what is under way, and tells what happened since the last call; resume() goes on. */
	async pause(): Promise<Seen> {
		clearInterval(this.#timer);
		for (const end = performance.now() + SETTLE_MS; this.#underWay.size > 0 && performance.now() < end; ) {
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
		const lost = this.#underWay.size;
		this.#underWay.clear();
		return { ...this.take(), lost };
	}

	resume(): void {
		clearInterval(this.#timer);
		this.#timer = setInterval(() => this.#send(), this.#period);
	}

	async close(): Promise<void> {
		this.#isClosing = true;
		clearInterval(this.#timer);
		for (const end of this.#ends) end();
		await this.#shim.close();
	}

	#send(): void {
		if (this.#channel?.readyState !== 'open') return;
		this.#underWay.set(this.#sent, performance.now());
		this.#channel.send(`${this.#sent++}`);
	}

	#back(number: number): void {
		const [first] = this.#underWay.keys();
		if (number !== first) this.#complain(`message ${number} came where ${first ?? 'none'} was due`);
		const sent = this.#underWay.get(number);
		if (sent === undefined) return;
		this.#underWay.delete(number);
		this.#trips.push(performance.now() - sent);
	}

	#complain(problem: string): void {
		if (!this.#isClosing) this.#problems.push(problem);
	}

	async #watch(offerer: RTCPeerConnection, answerer: RTCPeerConnection): Promise<void> {
		const stream = await this.#shim.mediaDevices.getUserMedia({
			video: { width: 160, height: 120, frameRate: 10 },
		});
		const [track] = stream.getVideoTracks();
		this.#ends.push(() => track!.stop());
		offerer.addTrack(track!, stream);
		answerer.addEventListener('track', ({ track }) => void this.#read(track));
	}

	async #read(track: globalThis.MediaStreamTrack): Promise<void> {
		const reader = new MediaStreamTrackProcessor({ track: track as never }).readable.getReader();
		for (;;) {
			const { done, value } = await reader.read();
			if (done) return;
			this.#pictures++;
			value.close();
		}
	}
}
