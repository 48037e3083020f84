import { associateRemote, type Kind, receives, reverseDirection, type Section } from '../jsep/index.ts';
import { layersOf } from '../jsep/streams.ts';
import type { AppliedDescription } from './appliedDescription.ts';
import { negotiateMedia } from './applyMedia.ts';
import type { Connection } from './connection.ts';
import { type Effects, processRemoteTracks } from './remoteTracks.ts';
import { type EncodingParameters, proposedEncodings } from './rtpParameters.ts';
import type { Transceiver } from './transceiver.ts';
import { connectTransports, keepAnswered } from './transports.ts';

/** @see https://www.w3.org/TR/webrtc/#apply-remote-description, 4.6.11.2 */
export function applyRemote(connection: Connection, applied: AppliedDescription, effects: Effects): void {
	const { description, type } = applied;
	const isAnswer = type !== 'offer';
	if (type === 'answer') keepAnswered(connection, connection.local!.description, description);
	for (const { mid, mlineIndex, transceiver: found } of associate(connection, applied)) {
		const section = description.sections[mlineIndex]!;
		// 11.2.1 – 4
		const layers = isAnswer || section.kind !== 'video' ? [] : layersOf(section, 'recv').map(({ rid }) => rid);
		// 11.2.5 – 8
		const transceiver = represent(connection, section, found, proposedEncodings(layers));
		if (!transceiver) continue;
		// 11.2.9
		transceiver.mid = mid;
		transceiver.mlineIndex = mlineIndex;
		// 11.2.10 – 12
		const direction = section.rejected ? 'inactive' : reverseDirection(section.direction);
		processRemoteTracks(transceiver, direction, receives(direction) ? streamIds(connection, section) : [], effects);
		// 11.2.13
		if (!receives(direction)) transceiver.receiver.codecs = [];
		// 11.2.14.2 – 5
		if (isAnswer && !transceiver.stopped) {
			transceiver.currentDirection = direction;
			const transport = connection.transports.get(mid) ?? null;
			transceiver.sender.transport = transport;
			transceiver.receiver.transport = transport;
		}
		// 11.2.15
		if (section.rejected && !transceiver.stopped) transceiver.stop();
	}
	if (!isAnswer) return;
	connectTransports(connection, 'remote');
	negotiateMedia(connection, 'remote');
}

interface Found {
	mid: string;
	mlineIndex: number;
	transceiver: Transceiver | 'new' | null;
}

function associate(connection: Connection, { description }: AppliedDescription): Found[] {
	const { transceivers } = connection;
	return associateRemote(
		description,
		transceivers.map(({ record }) => record),
		transceivers.map(({ hadTrack, origin }) => hadTrack && origin !== 'addTransceiver'),
	).map((each) => ({
		...each,
		// Making transceivers as we go would shift the indices.
		transceiver: typeof each.transceiver === 'number' ? transceivers[each.transceiver]! : each.transceiver,
	}));
}

/** The transceiver that stands for a section: one that there is, or a new one; null for data. */
function represent(
	connection: Connection,
	section: Section,
	found: Transceiver | 'new' | null,
	encodings: EncodingParameters[],
): Transceiver | null {
	// 11.2.7
	if (found === 'new') {
		const kind = section.kind as Kind;
		return connection.addTransceiver({ kind, origin: 'remote', direction: 'recvonly', encodings });
	}
	// 11.2.6
	if (!found) return null;
	const { sender } = found;
	sender.lastReturned = null;
	const [only, ...others] = sender.encodings;
	const isUnicast = only && others.length === 0 && only.rid === undefined;
	if (isUnicast && encodings.length > 0) sender.setEncodings(encodings);
	return found;
}

/** What says nothing of streams is in one that stands for all such sections: an older peer knows no a=msid. */
function streamIds({ defaultStreamId }: Connection, { msids }: Section): string[] {
	if (msids.length === 0) return [defaultStreamId];
	return msids.map(({ stream }) => stream).filter((stream) => stream !== '-');
}
