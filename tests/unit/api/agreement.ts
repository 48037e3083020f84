/** What must hold between two connections that have negotiated, and have nothing left to negotiate. */

import * as assert from 'uvu/assert';
import type { RTCRtpTransceiver } from '../../../shim/api/index.ts';
import {
	type Direction,
	intersectDirections,
	parse,
	receives,
	reverseDirection,
	sends,
} from '../../../shim/jsep/index.ts';
import type { FakeRemote } from './fakeSession.ts';
import type { Negotiator } from './Negotiator.ts';

type Params = Record<string, unknown>;
type Encoding = { ssrc: number; rtxSsrc?: number; rid?: string };

export function assertAgreement(a: Negotiator, b: Negotiator): void {
	for (const { connection, errors } of [a, b]) {
		assert.equal(errors.map(String), []);
		assert.is(connection.signalingState, 'stable');
		assert.equal([connection.pendingLocalDescription, connection.pendingRemoteDescription], [null, null]);
	}
	assertDescriptions(a, b);
	assertDescriptions(b, a);
	for (const [ours, theirs] of [
		[a, b],
		[b, a],
	] as const) {
		assertTransceivers(ours, theirs);
		assertMedia(ours, theirs);
		assertTransports(ours, theirs);
		assertNothingLeft(ours);
	}
	assertData(a, b);
}

function assertDescriptions(ours: Negotiator, theirs: Negotiator): void {
	const local = ours.connection.currentLocalDescription;
	const remote = theirs.connection.currentRemoteDescription;
	assert.is(local?.sdp, remote?.sdp);
	assert.is(local?.type, remote?.type);
	const theirOwn = ours.connection.currentRemoteDescription;
	for (const [, usernameFragment] of `${local?.sdp}${theirOwn?.sdp}`.matchAll(/a=ice-ufrag:(\S+)/g)) {
		assert.not(ours.retired.has(usernameFragment!), `${usernameFragment} outlives a restart`);
	}
}

/** Every wish was heard: what is negotiated is what both want. */
function assertTransceivers(ours: Negotiator, theirs: Negotiator): void {
	const mids = ({ transceivers }: Negotiator) => transceivers.map(({ mid }) => mid).toSorted();
	assert.equal(mids(ours), mids(theirs));
	for (const transceiver of ours.transceivers) {
		const other = peerOf(transceiver, theirs);
		assert.is(transceiver.receiver.track.kind, other.receiver.track.kind);
		const wished = intersectDirections(
			transceiver.direction as Direction,
			reverseDirection(other.direction as Direction),
		);
		assert.is(transceiver.currentDirection, wished, `mid ${transceiver.mid}`);
		assertStreams(ours, transceiver, theirs);
	}
}

/** A track that is received was announced, and is in the streams that its sender names, and in no other. */
function assertStreams(ours: Negotiator, transceiver: RTCRtpTransceiver, theirs: Negotiator): void {
	const { receiver, currentDirection } = transceiver;
	const known = [...(ours.announced.get(receiver) ?? [])];
	const within = known.filter((stream) => stream.getTracks().includes(receiver.track as never)).map(({ id }) => id);
	const isReceiving = receives(currentDirection as Direction);
	assert.is(ours.receiving.has(receiver), isReceiving, `mid ${transceiver.mid} is announced each time that it begins`);
	const section = sectionOf(theirs, transceiver.mid!);
	const named = isReceiving ? section.msids.map(({ stream }) => stream).filter((id) => id !== '-') : [];
	assert.equal(within.toSorted(), named.toSorted(), `streams of mid ${transceiver.mid}`);
}

/** Each worker was told what the other was: a sender sends what its receiver takes. */
function assertMedia(ours: Negotiator, theirs: Negotiator): void {
	for (const transceiver of ours.transceivers) {
		const mid = transceiver.mid!;
		const sent = toldOf(ours, 'RtpSender', 'send', mid);
		const received = toldOf(theirs, 'RtpReceiver', 'receive', mid);
		const isSending = sends(transceiver.currentDirection as Direction);
		assert.equal([sent?.active ?? false, received?.active ?? false], [isSending, isSending], `activity of mid ${mid}`);
		if (!isSending) continue;
		for (const name of ['codecs', 'headerExtensions', 'reducedSize']) assert.equal(sent![name], received![name], name);
		assert.ok((sent!.codecs as unknown[]).length > 0);
		const encodings = sent!.encodings as Encoding[];
		const rids = received!.rids as string[];
		if (rids.length > 0) {
			assert.equal(
				rids,
				encodings.map(({ rid }) => rid),
			);
			continue;
		}
		assert.equal(
			encodings.map(({ ssrc, rtxSsrc }) => [ssrc, rtxSsrc]),
			(received!.encodings as Encoding[]).map(({ ssrc, rtxSsrc }) => [ssrc, rtxSsrc]),
			`encodings of mid ${mid}`,
		);
	}
}

/** Sections share transports on both sides alike, and each pair knows the other's credentials and has two roles. */
function assertTransports(ours: Negotiator, theirs: Negotiator): void {
	const sections = parse(
		ours.connection.currentLocalDescription?.sdp ?? 'v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n',
	)
		.sections.filter(({ rejected }) => !rejected)
		.map(({ mid }) => mid);
	for (const mid of sections) {
		const [mine, other] = [transportOf(ours, mid), transportOf(theirs, mid)];
		for (const second of sections) {
			const alike = [transportOf(ours, second) === mine, transportOf(theirs, second) === other];
			assert.is(alike[0], alike[1], `mids ${mid} and ${second} share a transport on one side alone`);
		}
		const [ice, peerIce] = [iceOf(ours, mine), iceOf(theirs, other)];
		assert.equal(started(ice), credentials(peerIce), `credentials of mid ${mid}`);
		const roles = [mine, other].map((dtls) => lastCall(dtls, 'start')!.role);
		assert.equal(roles.toSorted(), ['client', 'server']);
		// The role is the transport's for good: a later answer says the same again.
		const isAnswer = ours.connection.currentLocalDescription!.type === 'answer';
		const said = { client: 'active', server: 'passive' }[roles[0] as string];
		assert.is(sectionOf(ours, mid).setup, isAnswer ? said : 'actpass', `a=setup of mid ${mid}`);
	}
}

/** What no section uses any more is gone. */
function assertNothingLeft({ fake, connection, transceivers }: Negotiator): void {
	const alive = (type: string) => fake.of(type).filter(({ isDropped }) => !isDropped).length;
	assert.equal([alive('RtpSender'), alive('RtpReceiver')], [transceivers.length, transceivers.length]);
	const used = new Set([...transceivers.map(({ sender }) => sender.transport), connection.sctp?.transport ?? null]);
	used.delete(null);
	assert.equal([alive('IceTransport'), alive('DtlsTransport')], [used.size, used.size]);
	assert.is(alive('SctpTransport'), connection.sctp ? 1 : 0);
}

function assertData(a: Negotiator, b: Negotiator): void {
	const wanted = a.channels.length + b.channels.length > 0;
	assert.equal([a.connection.sctp !== null, b.connection.sctp !== null], [wanted, wanted]);
	for (const { channels, fake } of [a, b]) {
		assert.is(fake.of('DataChannel').length, channels.length);
	}
	const ids = [a, b].flatMap(({ channels }) => channels.map(({ id }) => id));
	assert.is(new Set(ids).size, ids.length, `identifiers ${ids}`);
}

function peerOf({ mid }: RTCRtpTransceiver, theirs: Negotiator): RTCRtpTransceiver {
	return theirs.transceivers.find((other) => other.mid === mid)!;
}

function sectionOf({ connection }: Negotiator, mid: string) {
	return parse(connection.currentLocalDescription!.sdp).sections.find((section) => section.mid === mid)!;
}

/** What the worker's sender or receiver of a section was told last. */
function toldOf({ fake }: Negotiator, type: string, call: string, mid: string): Params | undefined {
	const told = fake.of(type).map((remote) => (remote.isDropped ? undefined : lastCall(remote, call)));
	return told.find((params) => params?.mid === mid);
}

function lastCall(remote: FakeRemote, name: string): Params | undefined {
	return remote.calls.findLast(([called]) => called === name)?.[1];
}

/** The worker's DTLS transport of a section. */
function transportOf({ fake, connection, transceivers }: Negotiator, mid: string): FakeRemote {
	const transceiver = transceivers.find((each) => each.mid === mid);
	const object = transceiver ? transceiver.sender.transport : connection.sctp!.transport;
	const { iceTransport } = object!;
	const usernameFragment = iceTransport.getLocalParameters()!.usernameFragment;
	const ice = fake.of('IceTransport').find((each) => !each.isDropped && credentials(each)[0] === usernameFragment)!;
	return fake.of('DtlsTransport').find(({ params }) => params.ice === ice.id)!;
}

function iceOf({ fake }: Negotiator, dtls: FakeRemote): FakeRemote {
	return fake.of('IceTransport').find(({ id }) => id === dtls.params.ice)!;
}

/** Those that an ICE transport of ours has now. */
function credentials(ice: FakeRemote): [unknown, unknown] {
	const { usernameFragment, password } = lastCall(ice, 'restart') ?? ice.params;
	return [usernameFragment, password];
}

/** Those of the peer that it was told last. */
function started(ice: FakeRemote): [unknown, unknown] {
	const { usernameFragment, password } = lastCall(ice, 'start') ?? {};
	return [usernameFragment, password];
}
