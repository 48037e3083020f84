import type { RTCDataChannel, RTCPeerConnection } from '../../entries/node.ts';

/**
 * Connects two connections, and gives the open channel between them.
 *
 * @throws {Error} it does not open in time
 */
export async function openChannel(
	offerer: RTCPeerConnection,
	answerer: RTCPeerConnection,
	milliseconds: number,
): Promise<RTCDataChannel> {
	const channel = offerer.createDataChannel('channel');
	const opened = next(channel, 'open', milliseconds);
	await Promise.all([opened, negotiate(offerer, answerer)]);
	return channel;
}

/** Negotiates once, each description with all of its candidates. */
export async function negotiate(offerer: RTCPeerConnection, answerer: RTCPeerConnection): Promise<void> {
	await offerer.setLocalDescription();
	await gathered(offerer);
	await answerer.setRemoteDescription(offerer.localDescription!);
	await answerer.setLocalDescription();
	await gathered(answerer);
	await offerer.setRemoteDescription(answerer.localDescription!);
}

export async function gathered(connection: RTCPeerConnection): Promise<void> {
	while (connection.iceGatheringState !== 'complete') await next(connection, 'icegatheringstatechange');
}

/** The next event of a type; rejects when none comes in time. */
export function next<E extends Event>(target: EventTarget, type: string, milliseconds = 10_000): Promise<E> {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => reject(new Error(`no ${type} in ${milliseconds / 1000} s`)), milliseconds);
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
