import { type Direction, receives } from '../jsep/index.ts';
import { createRemoteStream, type MediaStream, type MediaStreamTrack } from '../media/index.ts';
import type { DataChannel } from './dataChannel.ts';
import type { Receiver } from './receiver.ts';
import type { Transceiver } from './transceiver.ts';

/** What setting a description owes to pages: done when all of its state is set, in this order. */
export interface Effects {
	errors: DataChannel[];
	mute: MediaStreamTrack[];
	remove: [MediaStream, MediaStreamTrack][];
	add: [MediaStream, MediaStreamTrack][];
	tracks: { transceiver: Transceiver; streams: MediaStream[] }[];
}

/** @see https://www.w3.org/TR/webrtc/#process-remote-tracks */
export function processRemoteTracks(
	transceiver: Transceiver,
	direction: Direction,
	streamIds: readonly string[],
	effects: Effects,
): void {
	const { receiver, firedDirection } = transceiver;
	const hadReceived = firedDirection !== null && receives(firedDirection);
	// 1.
	const added = effects.add.length;
	setAssociatedStreams(receiver, streamIds, effects);
	// 2.
	const isAdded = receives(direction) && !hadReceived;
	if (isAdded || effects.add.length > added) effects.tracks.push({ transceiver, streams: receiver.streams });
	// 3. – 4.
	if (!receives(direction)) {
		transceiver.receptive = false;
		if (hadReceived) processRemoval(transceiver, effects);
	}
	// 5.
	transceiver.firedDirection = direction;
}

/** @see https://www.w3.org/TR/webrtc/#process-remote-track-removal */
export function processRemoval({ receiver: { track } }: Transceiver, effects: Effects): void {
	if (!track.muted) effects.mute.push(track);
}

/** @see https://www.w3.org/TR/webrtc/#set-associated-remote-streams */
export function setAssociatedStreams(receiver: Receiver, ids: readonly string[], effects: Effects): void {
	const { track, connection } = receiver;
	// 2. – 3.
	const streams = [...new Set(ids)].map((id) => {
		const stream = connection.remoteStreams.get(id) ?? createRemoteStream(id);
		connection.remoteStreams.set(id, stream);
		return stream;
	});
	// 5. – 7.
	for (const stream of receiver.streams) if (!streams.includes(stream)) effects.remove.push([stream, track]);
	for (const stream of streams) if (!receiver.streams.includes(stream)) effects.add.push([stream, track]);
	receiver.streams = streams;
}
