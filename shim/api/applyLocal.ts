import { receives } from '../jsep/index.ts';
import type { AppliedDescription } from './appliedDescription.ts';
import { negotiateMedia } from './applyMedia.ts';
import type { Connection } from './connection.ts';
import { type Effects, processRemoval, setAssociatedStreams } from './remoteTracks.ts';
import { connectTransports, openTransports } from './transports.ts';

/** @see https://www.w3.org/TR/webrtc/#apply-local-description, 4.6.11.1 */
export function applyLocal(connection: Connection, applied: AppliedDescription, effects: Effects): void {
	const { description, type } = applied;
	const isAnswer = type !== 'offer';
	associate(connection, applied);
	openTransports(connection, applied);
	for (const section of description.sections) {
		const transceiver = connection.transceivers.find(({ mid }) => mid === section.mid);
		// 11.1.3
		if (!transceiver || transceiver.stopped) continue;
		// 11.1.1.4 – 7
		const transport = connection.transports.get(section.mid) ?? null;
		transceiver.sender.transport = transport;
		transceiver.receiver.transport = transport;
		// 11.1.4 – 6
		transceiver.receptive = !section.rejected && receives(section.direction);
		transceiver.receiver.codecs = transceiver.receptive ? section.codecs : [];
		// 11.1.7.3
		const { firedDirection } = transceiver;
		if (isAnswer && !receives(section.direction) && firedDirection && receives(firedDirection)) {
			setAssociatedStreams(transceiver.receiver, [], effects);
			processRemoval(transceiver, effects);
		}
		// 11.1.7.4
		if (isAnswer) {
			transceiver.currentDirection = section.direction;
			transceiver.firedDirection = section.direction;
		}
	}
	if (!isAnswer) return;
	connectTransports(connection, 'local');
	negotiateMedia(connection, 'local');
	stopRejected(connection, applied);
}

/** 11.1.1: a section that was made for a transceiver is its from now on. */
function associate(connection: Connection, { description, type }: AppliedDescription): void {
	const created = type === 'offer' ? connection.lastOffer : null;
	for (const [index, transceiver] of created?.transceivers.entries() ?? []) {
		if (!transceiver || transceiver.mid !== null) continue;
		transceiver.mid = description.sections[index]!.mid;
		transceiver.mlineIndex = index;
	}
}

/** An answer of ours that rejects a section ends its transceiver. */
function stopRejected(connection: Connection, { description }: AppliedDescription): void {
	for (const section of description.sections) {
		const transceiver = connection.transceivers.find(({ mid }) => mid === section.mid);
		if (section.rejected && transceiver && !transceiver.stopped) transceiver.stop();
	}
}
