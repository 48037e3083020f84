import { candidateSections } from '../jsep/index.ts';
import type { EventOut } from '../rpc/types.ts';
import { queueTask } from '../webidl/task.ts';
import type { AppliedDescription } from './appliedDescription.ts';
import { parseCandidate } from './candidateAttribute.ts';
import type { Connection } from './connection.ts';
import { invalidState } from './errors.ts';
import { RTCPeerConnectionIceErrorEvent } from './events/RTCPeerConnectionIceErrorEvent.ts';
import { RTCPeerConnectionIceEvent } from './events/RTCPeerConnectionIceEvent.ts';
import type { RTCIceCandidate, toCandidateInit } from './RTCIceCandidate.ts';
import type { Transport } from './transport.ts';
import { takesCandidates } from './transports.ts';

type Candidate = ReturnType<typeof toCandidateInit>;

/** @see https://www.w3.org/TR/webrtc/#dfn-surface-the-candidate */
export function surfaceCandidate(
	connection: Connection,
	transport: Transport,
	{ candidate, usernameFragment, url }: EventOut<'IceTransport', 'candidate'>,
): void {
	// What a restart found that was rolled back belongs to no description.
	const descriptions = ofGeneration(connection, transport, usernameFragment);
	if (descriptions.length === 0) return;
	// 3. – 4.
	for (const description of descriptions) description.add(transport.mid, [candidate], false);
	// 5. – 6.
	const found = transport.candidate(candidate, usernameFragment, url);
	if (transport.ice.local?.usernameFragment === usernameFragment) transport.ice.localCandidates.push(found);
	// 7.
	fireCandidate(connection, found, url);
}

export function surfaceCandidateError(
	connection: Connection,
	_transport: Transport,
	{ address, port, url, errorCode, errorText }: EventOut<'IceTransport', 'candidateerror'>,
): void {
	const init = { address: address ?? null, port: port ?? null, url, errorCode, errorText };
	connection.target.dispatchEvent(new RTCPeerConnectionIceErrorEvent('icecandidateerror', init));
}

/** Gathering began or ended. @see https://www.w3.org/TR/webrtc/#rtcicetransport */
export function surfaceGathering(connection: Connection, transport: Transport, state: RTCIceGathererState): void {
	// A restart goes from complete to gathering; what it found before it was rolled back is done with.
	if (state === 'new' || transport.ice.endOfCandidates) return;
	if (state === 'gathering') {
		changeGathering(connection, transport, state);
		return;
	}
	const usernameFragment = transport.ice.local?.usernameFragment ?? '';
	transport.ice.endOfCandidates = true;
	// The first task: 2. – 5.
	for (const description of ofGeneration(connection, transport, usernameFragment))
		description.add(transport.mid, [], true);
	fireCandidate(connection, transport.candidate('', usernameFragment), null);
	queueTask(() => {
		if (!connection.isClosed && !transport.isClosed) changeGathering(connection, transport, state);
	});
}

function changeGathering(connection: Connection, transport: Transport, state: RTCIceGathererState): void {
	if (transport.ice.gatheringState === state) return;
	transport.ice.gatheringState = state;
	const events = connection.deriveStates();
	transport.ice.object.dispatchEvent(new Event('gatheringstatechange'));
	connection.fire(events);
	// Browsers say null once, when all transports are done; who waits for it takes it for the end.
	if (events.includes('icegatheringstatechange') && connection.iceGatheringState === 'complete') {
		fireCandidate(connection, null, null);
	}
}

function fireCandidate(
	connection: Connection,
	candidate: RTCIceCandidate | null,
	url: string | null | undefined,
): void {
	if (connection.isClosed) return;
	const init = { candidate: candidate as globalThis.RTCIceCandidate | null, url: url ?? null };
	connection.target.dispatchEvent(new RTCPeerConnectionIceEvent('icecandidate', init));
}

/**
 * The operation that addIceCandidate() chains.
 *
 * @throws {InvalidStateError} there is no remote description
 * @throws {OperationError} no section of it is meant, or the candidate is none
 * @see https://www.w3.org/TR/webrtc/#dom-peerconnection-addicecandidate
 */
export async function addIceCandidate(connection: Connection, candidate: Candidate): Promise<void> {
	// 4.1
	const { remote } = connection;
	if (!remote) throw invalidState('There is no remote description');
	// 4.2 – 4.5
	const sections = candidateSections(remote.description, candidate).map((index) => remote.description.sections[index]!);
	if (sections.length === 0 && !isForAll(candidate)) throw new DOMException(nowhere(candidate), 'OperationError');
	// 4.7
	const end = candidate.candidate === '';
	if (!end && !parseCandidate(candidate.candidate)) {
		throw new DOMException(`'${candidate.candidate}' is no candidate`, 'OperationError');
	}
	await new Promise<void>((resolve) => queueTask(resolve));
	if (connection.isClosed) return;
	// 4.7.2
	for (const { mid, iceUfrag, rejected } of sections) {
		if (rejected || iceUfrag === undefined) continue;
		addToRemote(connection, mid, iceUfrag, end ? [] : [withoutPrefix(candidate.candidate)], end);
		const transport = connection.transports.get(mid);
		if (!transport) continue;
		// The end of a bundled section's own candidates is not the end of the tag's.
		if (end && transport.mid === mid) transport.addRemoteCandidate(null, iceUfrag);
		if (!end && takesCandidates(transport, mid, remote.description)) {
			transport.addRemoteCandidate(withoutPrefix(candidate.candidate), iceUfrag);
		}
	}
}

/** The end of all candidates, which may be said before there is a section. */
function isForAll({ candidate, sdpMid, sdpMLineIndex, usernameFragment }: Candidate): boolean {
	return candidate === '' && sdpMid === null && sdpMLineIndex === null && usernameFragment === null;
}

function nowhere({ sdpMid, sdpMLineIndex, usernameFragment }: Candidate): string {
	const named = [
		sdpMid === null ? `m-line ${sdpMLineIndex}` : `mid ${sdpMid}`,
		usernameFragment === null ? '' : ` with ufrag ${usernameFragment}`,
	];
	return `The remote description has no ${named.join('')}`;
}

function withoutPrefix(candidate: string): string {
	return candidate.replace(/^a=/, '');
}

function addToRemote(
	connection: Connection,
	mid: string,
	usernameFragment: string,
	candidates: string[],
	end: boolean,
): void {
	for (const description of [connection.pendingRemote, connection.currentRemote]) {
		if (description?.has(mid, usernameFragment)) description.add(mid, candidates, end);
	}
}

/** The local descriptions in force that are of an ICE generation. */
function ofGeneration(
	{ pendingLocal, currentLocal }: Connection,
	{ mid }: Transport,
	usernameFragment: string,
): AppliedDescription[] {
	return [pendingLocal, currentLocal].flatMap((each) => (each?.has(mid, usernameFragment) ? [each] : []));
}
