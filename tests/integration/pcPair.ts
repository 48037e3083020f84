/** Two connections of one shim, and what tests of them have in common. */

import { createShim } from '../../entries/node.ts';
import type { RTCDataChannel, RTCPeerConnection } from '../../shim/api/index.ts';

export const shim = createShim();

export interface Pair {
	offerer: RTCPeerConnection;
	answerer: RTCPeerConnection;
	close(): void;
}

/**
 * Two connections that are not connected yet; with `trickle` each gives its candidates to the other as it finds them.
 * `Answerer` is the class of the one that answers, where that is of another shim.
 */
export function makePair({
	trickle = true,
	configuration = {} as RTCConfiguration,
	Connection = shim.RTCPeerConnection,
	Answerer = undefined as typeof shim.RTCPeerConnection | undefined,
} = {}): Pair {
	const offerer = new Connection(configuration);
	const answerer = new (Answerer ?? Connection)(configuration);
	if (trickle) {
		giveCandidates(offerer, answerer);
		giveCandidates(answerer, offerer);
	}
	const close = (): void => {
		offerer.close();
		answerer.close();
	};
	return { offerer, answerer, close };
}

function giveCandidates(from: RTCPeerConnection, to: RTCPeerConnection): void {
	const early: (RTCIceCandidateInit | null)[] = [];
	const give = (candidate: RTCIceCandidateInit | null): void => void to.addIceCandidate(candidate).catch(() => {});
	from.addEventListener('icecandidate', ({ candidate }) => {
		const init = candidate?.toJSON() ?? null;
		if (to.remoteDescription) give(init);
		else early.push(init);
	});
	to.addEventListener('signalingstatechange', () => {
		if (to.remoteDescription) for (const candidate of early.splice(0)) give(candidate);
	});
}

/** One offer and its answer. `edit` may change the text of either before it is set. */
export async function negotiate(
	{ offerer, answerer }: Pick<Pair, 'offerer' | 'answerer'>,
	{ trickle = true, edit = (sdp: string, _type: 'offer' | 'answer') => sdp } = {},
): Promise<void> {
	const offer = await offerer.createOffer();
	await offerer.setLocalDescription({ type: 'offer', sdp: edit(offer.sdp!, 'offer') });
	if (!trickle) await gathered(offerer);
	await answerer.setRemoteDescription(offerer.localDescription!);
	const answer = await answerer.createAnswer();
	await answerer.setLocalDescription({ type: 'answer', sdp: edit(answer.sdp!, 'answer') });
	if (!trickle) await gathered(answerer);
	await offerer.setRemoteDescription(answerer.localDescription!);
}

export async function gathered(connection: RTCPeerConnection): Promise<void> {
	while (connection.iceGatheringState !== 'complete') await next(connection, 'icegatheringstatechange');
}

export async function connected(...connections: RTCPeerConnection[]): Promise<void> {
	for (const connection of connections) {
		while (connection.connectionState !== 'connected') await next(connection, 'connectionstatechange');
	}
}

/** A pair with an open channel between them, made by the offerer. */
export async function makeChannels(
	init: RTCDataChannelInit = {},
): Promise<Pair & { ours: RTCDataChannel; theirs: RTCDataChannel }> {
	const pair = makePair();
	const ours = pair.offerer.createDataChannel('channel', init);
	const incoming = next<RTCDataChannelEvent>(pair.answerer, 'datachannel');
	await negotiate(pair);
	const theirs = (await incoming).channel as unknown as RTCDataChannel;
	await opened(ours);
	return { ...pair, ours, theirs };
}

export async function opened(channel: RTCDataChannel): Promise<void> {
	if (channel.readyState !== 'open') await next(channel, 'open');
}

/** The next event of a type; rejects when none comes in time. */
export function next<E extends Event>(target: EventTarget, type: string, milliseconds = 10_000): Promise<E> {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error(`no ${type} in ${milliseconds} ms`)), milliseconds);
		target.addEventListener(
			type,
			(event) => {
				clearTimeout(timer);
				resolve(event as E);
			},
			{ once: true },
		);
	});
}

/** Waits until `condition` holds; rejects with what it is when it does not in time. */
export async function until(what: string, condition: () => unknown, milliseconds = 10_000): Promise<void> {
	for (const end = Date.now() + milliseconds; !(await condition()); ) {
		if (Date.now() > end) throw new Error(`not in ${milliseconds} ms: ${what}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

/** The types of the events that come, in order. */
export function record(target: EventTarget, ...types: string[]): string[] {
	const seen: string[] = [];
	for (const type of types) target.addEventListener(type, () => seen.push(type));
	return seen;
}

/** The error's name, for what throws or rejects. */
export async function failure(work: () => unknown): Promise<string> {
	try {
		await work();
	} catch (error) {
		return (error as Error).name;
	}
	return 'nothing';
}
