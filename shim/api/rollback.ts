import type { Connection } from './connection.ts';
import { type Effects, processRemoteTracks } from './remoteTracks.ts';
import { restoreTransports } from './transports.ts';

/** @see https://www.w3.org/TR/webrtc/#set-description, 4.6.12 */
export function rollBack(connection: Connection, effects: Effects): void {
	const isRemote = connection.signalingState === 'have-remote-offer';
	// 2.
	if (connection.sctp !== connection.stableSctp) connection.sctp?.close(true);
	connection.sctp = connection.stableSctp;
	restoreTransports(connection);
	// 3.
	for (const transceiver of [...connection.transceivers]) {
		const isNew = transceiver.stable === null && transceiver.origin === 'remote';
		// 3.1 – 3.5
		transceiver.restore();
		// 3.6
		if (isRemote) {
			const streamIds = transceiver.stable?.streams.map(({ id }) => id) ?? [];
			processRemoteTracks(transceiver, transceiver.currentDirection ?? 'inactive', streamIds, effects);
		}
		// 3.7
		if (isNew && !transceiver.hadTrack) {
			transceiver.stop();
			connection.transceivers = connection.transceivers.filter((each) => each !== transceiver);
		}
	}
	// 4.
	connection.pendingLocal = null;
	connection.pendingRemote = null;
	connection.signalingState = 'stable';
}
