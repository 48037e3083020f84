import { type Direction, intersectDirections, reverseDirection, type Section, sends } from '../jsep/index.ts';
import { queueTask } from '../webidl/task.ts';
import type { Connection } from './connection.ts';
import type { Transceiver } from './transceiver.ts';

/**
 * Fires `negotiationneeded` in a task of its own, if negotiation is needed and nothing is under way.
 * @see https://www.w3.org/TR/webrtc/#dfn-update-the-negotiation-needed-flag
 */
export function updateNegotiationNeeded(connection: Connection): void {
	// 1.
	if (postponed(connection)) return;
	// 2.
	queueTask(() => {
		if (connection.isClosed || postponed(connection) || connection.signalingState !== 'stable') return;
		// 2.4
		if (!isNegotiationNeeded(connection)) {
			connection.negotiationNeeded = false;
			return;
		}
		// 2.5 – 2.7
		if (connection.negotiationNeeded) return;
		connection.negotiationNeeded = true;
		connection.fire(['negotiationneeded']);
	});
}

function postponed(connection: Connection): boolean {
	if (connection.operations.isEmpty) return false;
	connection.updateNegotiationNeededOnEmptyChain = true;
	return true;
}

/** @see https://www.w3.org/TR/webrtc/#dfn-check-if-negotiation-is-needed */
function isNegotiationNeeded(connection: Connection): boolean {
	// 2.
	if (connection.credentialsToReplace.size > 0) return true;
	// 3. – 4.
	const sections = connection.currentLocal?.description.sections ?? [];
	const hasData = sections.some((section) => section.kind === 'application' && !section.rejected);
	if (connection.createdDataChannel && !hasData) return true;
	// 5.
	return connection.transceivers.some((transceiver) => needsNegotiation(connection, transceiver));
}

function needsNegotiation(connection: Connection, transceiver: Transceiver): boolean {
	const local = sectionOf(connection.currentLocal?.description.sections, transceiver);
	const remote = sectionOf(connection.currentRemote?.description.sections, transceiver);
	// 5.1
	if (transceiver.stopping && !transceiver.stopped) return true;
	// 5.4
	if (transceiver.stopped) return Boolean(local && !local.rejected && remote && !remote.rejected);
	// 5.2
	if (!local) return true;
	// 5.3.1, where the section could announce them: an answer to who receives nothing cannot, however often it is given.
	if (sends(transceiver.direction) && sends(local.direction) && !announces(local, transceiver.sender.streamIds))
		return true;
	// 5.3.2
	if (connection.currentLocal?.type === 'offer') {
		const seen = remote && reverseDirection(remote.direction);
		return local.direction !== transceiver.direction && seen !== transceiver.direction;
	}
	// 5.3.3
	const offered: Direction = remote ? reverseDirection(remote.direction) : 'sendrecv';
	return local.direction !== intersectDirections(transceiver.direction, offered);
}

function sectionOf(sections: Section[] | undefined, { mid }: Transceiver): Section | undefined {
	return mid === null ? undefined : sections?.find((section) => section.mid === mid);
}

function announces(section: Section, streamIds: readonly string[]): boolean {
	if (section.msids.length === 0) return false;
	const announced = section.msids.map(({ stream }) => stream).filter((stream) => stream !== '-');
	return announced.length === streamIds.length && streamIds.every((id) => announced.includes(id));
}
