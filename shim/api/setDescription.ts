import { checkLocal, checkRemote, type Description, parse, type SdpType } from '../jsep/index.ts';
import { addRemoteTrack, muteRemoteTrack, removeRemoteTrack } from '../media/index.ts';
import { nextTask } from '../webidl/task.ts';
import { AppliedDescription, type Created } from './appliedDescription.ts';
import { applyLocal } from './applyLocal.ts';
import { applyRemote } from './applyRemote.ts';
import { applySctp } from './applySctp.ts';
import type { Connection } from './connection.ts';
import { createAnswer, createOffer } from './createDescription.ts';
import { invalidState, negotiating, toException } from './errors.ts';
import { RTCTrackEvent } from './events/RTCTrackEvent.ts';
import { updateNegotiationNeeded } from './negotiationNeeded.ts';
import type { Effects } from './remoteTracks.ts';
import { rollBack } from './rollback.ts';
import type { Transceiver } from './transceiver.ts';
import { closeUnused } from './transports.ts';

interface DescriptionInit {
	type: RTCSdpType;
	sdp: string;
}

/**
 * The operation that setLocalDescription() chains; without type or text it makes what fits.
 * @see https://www.w3.org/TR/webrtc/#dom-peerconnection-setlocaldescription
 */
export async function setLocal(connection: Connection, given: { type?: RTCSdpType; sdp: string }): Promise<void> {
	// 4.1
	const type = given.type ?? impliedType(connection.signalingState);
	if (type === 'rollback') return setDescription(connection, { type, sdp: '' }, false);
	// 4.2 – 4.3 are checked with the description's content: edits that browsers allow are allowed.
	// 4.4 – 4.5
	const sdp = given.sdp || (await (type === 'offer' ? currentOffer(connection) : currentAnswer(connection)));
	// 4.6
	return setDescription(connection, { type, sdp }, false);
}

/** What createOffer() made last, if it would make the same now. */
async function currentOffer(connection: Connection): Promise<string> {
	const last = connection.lastOffer;
	const made = await createOffer(connection, false);
	if (last && isSame(last, made)) connection.lastOffer = last;
	return connection.lastOffer!.sdp;
}

async function currentAnswer(connection: Connection): Promise<string> {
	const last = connection.lastAnswer;
	const made = await createAnswer(connection);
	if (last && isSame(last, made)) connection.lastAnswer = last;
	return connection.lastAnswer!.sdp;
}

/** Whether two descriptions differ only in what is made anew each time. */
function isSame(a: Created, b: Created): boolean {
	const lasting = ({ sdp }: Created): string => sdp.replace(/^(o=|a=ice-ufrag:|a=ice-pwd:).*$/gm, '');
	return lasting(a) === lasting(b);
}

function impliedType(state: RTCSignalingState): 'offer' | 'answer' {
	return ['stable', 'have-local-offer', 'have-remote-pranswer'].includes(state) ? 'offer' : 'answer';
}

/**
 * The operation that setRemoteDescription() chains; an offer that meets one of ours rolls ours back.
 * @see https://www.w3.org/TR/webrtc/#dom-peerconnection-setremotedescription
 */
export async function setRemote(connection: Connection, given: DescriptionInit): Promise<void> {
	// 3.1
	const { signalingState } = connection;
	if (given.type === 'offer' && (signalingState === 'have-local-offer' || signalingState === 'have-remote-pranswer')) {
		await setDescription(connection, { type: 'rollback', sdp: '' }, false);
	}
	// 3.2
	return setDescription(connection, given, true);
}

/** @see https://www.w3.org/TR/webrtc/#set-description */
async function setDescription(connection: Connection, { type, sdp }: DescriptionInit, remote: boolean): Promise<void> {
	// 2.
	if (type === 'rollback') requireOffer(connection.signalingState, remote);
	// 4., 4.6.3
	await nextTask();
	await connection.parametersSet();
	if (connection.isClosed) return;
	const effects: Effects = { errors: [], mute: [], remove: [], add: [], tracks: [] };
	const before = connection.signalingState;
	if (type === 'rollback') {
		rollBack(connection, effects);
	} else {
		const description = remote ? readRemote(connection, { type, sdp }) : readLocal(connection, { type, sdp });
		const owners = !remote && type === 'offer' ? connection.lastOffer!.owners : undefined;
		apply(connection, new AppliedDescription(type, sdp, description, owners), remote, effects);
	}
	finish(connection, before, effects);
}

/**
 * An offer is rolled back by the side that set it.
 * @see https://www.rfc-editor.org/rfc/rfc9429#section-4.1.10.2
 */
function requireOffer(state: RTCSignalingState, remote: boolean): void {
	const side = remote ? 'remote' : 'local';
	if (state !== `have-${side}-offer`) throw invalidState(`There is no ${side} offer to roll back in ${state}`);
}

/** 4.5: what is wrong with the description is found before anything changes. */
function readLocal(connection: Connection, { type, sdp }: { type: SdpType; sdp: string }): Description {
	requireState(connection.signalingState, type, 'local');
	const created = type === 'offer' ? connection.lastOffer : connection.lastAnswer;
	if (sdp === created?.sdp) return created.description;
	const description = negotiating(() => parse(sdp));
	const problem = checkLocal(description, { type, created });
	if (problem) throw toException(problem);
	return description;
}

function readRemote(connection: Connection, { type, sdp }: { type: SdpType; sdp: string }): Description {
	requireState(connection.signalingState, type, 'remote');
	const description = negotiating(() => parse(sdp));
	const local = type === 'offer' ? connection.currentLocal : connection.local;
	const checked = checkRemote(description, {
		type,
		local: local?.description ?? null,
		owners: connection.pendingLocal?.owners ?? new Map(),
		remote: (type === 'offer' ? connection.currentRemote : connection.remote)?.description ?? null,
	});
	if (checked.problem) throw toException(checked.problem);
	return checked.description;
}

/** @see https://www.rfc-editor.org/rfc/rfc9429#section-4.1.8.1 */
function requireState(state: RTCSignalingState, type: SdpType, side: 'local' | 'remote'): void {
	const other = side === 'local' ? 'remote' : 'local';
	const allowed =
		type === 'offer' ? ['stable', `have-${side}-offer`] : [`have-${other}-offer`, `have-${side}-pranswer`];
	if (!allowed.includes(state)) throw invalidState(`No ${side} ${type} can be set in ${state}`);
}

/** 4.6.4 – 4.6.11 */
function apply(connection: Connection, applied: AppliedDescription, remote: boolean, effects: Effects): void {
	// 4.6.4
	if (applied.type === 'offer' && connection.signalingState === 'stable') remember(connection);
	// 4.6.5 – 4.6.6
	if (remote) putRemote(connection, applied);
	else putLocal(connection, applied);
	// 4.6.7 – 4.6.11
	if (remote) applyRemote(connection, applied, effects);
	else applyLocal(connection, applied, effects);
	applySctp(connection, applied, remote, effects);
	if (applied.type !== 'answer') return;
	for (const transceiver of connection.transceivers) {
		// What was stopped before it had a section has none to close: it would need negotiation for ever.
		if (transceiver.stopping && !transceiver.stopped && transceiver.mid === null) transceiver.stop();
		// 4.6.13
		if (!transceiver.stopped || !isOver(connection, transceiver)) continue;
		connection.transceivers = connection.transceivers.filter((each) => each !== transceiver);
		transceiver.mid = null;
		transceiver.mlineIndex = null;
	}
}

/** Whether no section stands for a stopped transceiver any more. */
function isOver({ currentLocal, currentRemote }: Connection, { mid }: Transceiver): boolean {
	if (mid === null) return true;
	const sections = [currentLocal, currentRemote].flatMap((each) => each?.description.sections ?? []);
	return sections.some((section) => section.mid === mid && section.rejected);
}

function remember(connection: Connection): void {
	connection.stableSctp = connection.sctp;
	connection.stableTransports = new Map(connection.transports);
	for (const transceiver of connection.transceivers) transceiver.remember();
}

function putLocal(connection: Connection, applied: AppliedDescription): void {
	if (applied.type === 'answer') {
		connection.currentLocal = applied;
		connection.currentRemote = connection.pendingRemote;
		settle(connection, applied.description);
		return;
	}
	connection.pendingLocal = applied;
	connection.signalingState = applied.type === 'offer' ? 'have-local-offer' : 'have-local-pranswer';
}

function putRemote(connection: Connection, applied: AppliedDescription): void {
	connection.canTrickle = applied.description.sections.some(({ iceOptions }) => iceOptions.includes('trickle'));
	if (applied.type === 'answer') {
		connection.currentRemote = applied;
		connection.currentLocal = connection.pendingLocal;
		settle(connection, connection.currentLocal!.description);
		return;
	}
	connection.pendingRemote = applied;
	connection.signalingState = applied.type === 'offer' ? 'have-remote-offer' : 'have-remote-pranswer';
}

/** An answer of either side completes the exchange. */
function settle(connection: Connection, local: Description): void {
	connection.pendingLocal = null;
	connection.pendingRemote = null;
	connection.lastOffer = null;
	connection.lastAnswer = null;
	connection.signalingState = 'stable';
	const replaced = !local.sections.some(({ iceUfrag }) => connection.credentialsToReplace.has(iceUfrag ?? ''));
	if (replaced) connection.credentialsToReplace.clear();
}

/** 4.6.14 – 4.6.21 */
function finish(connection: Connection, before: RTCSignalingState, effects: Effects): void {
	// 4.6.14
	if (connection.signalingState === 'stable') {
		for (const { sender } of connection.transceivers) sender.dropLostCodecs();
		connection.negotiationNeeded = false;
		updateNegotiationNeeded(connection);
	}
	// 4.6.15
	if (connection.signalingState !== before) connection.fire(['signalingstatechange']);
	// 4.6.16
	for (const channel of effects.errors) channel.failed('No identifier is left for the channel');
	// 4.6.17 – 4.6.19
	for (const track of effects.mute) muteRemoteTrack(track, true);
	for (const [stream, track] of effects.remove) removeRemoteTrack(stream, track);
	for (const [stream, track] of effects.add) addRemoteTrack(stream, track);
	// 4.6.20
	for (const { transceiver, streams } of effects.tracks) {
		if (connection.isClosed) return;
		const { receiver } = transceiver;
		const init = { receiver: receiver.object, track: receiver.track, streams, transceiver: transceiver.object };
		connection.target.dispatchEvent(new RTCTrackEvent('track', init));
	}
	// The states follow from which transports there are; those that nobody uses say that they closed in a task of their own.
	closeUnused(connection);
	connection.fire(connection.deriveStates());
}
