import { type Built, buildAnswer, buildOffer, type Input, type TransportRecord, write } from '../jsep/index.ts';
import { nextTask } from '../webidl/task.ts';
import type { Created } from './appliedDescription.ts';
import type { Certificate } from './certificate.ts';
import type { Connection } from './connection.ts';
import { invalidState, negotiating } from './errors.ts';
import { randomCredentials } from './random.ts';
import { SCTP_PORT } from './sctp.ts';
import type { Transport } from './transport.ts';

/** Bytes of a message that are announced where a session does not say what it takes. */
const LEAST_MESSAGE = 262_144;

/**
 * The operation that createOffer() chains.
 *
 * @throws {InvalidStateError} an offer of the peer, or an answer, is under way
 * @throws {OperationError} no certificate could be made
 * @see https://www.w3.org/TR/webrtc/#dfn-create-an-offer
 */
export async function createOffer(connection: Connection, iceRestart: boolean): Promise<Created> {
	// 1.
	const { signalingState } = connection;
	if (signalingState !== 'stable' && signalingState !== 'have-local-offer') {
		throw invalidState(`No offer can be created in ${signalingState}`);
	}
	// In-parallel steps 1. – 4.
	const certificate = await connection.certificate();
	await nextTask();
	// Final steps 1. – 5.
	connection.lastOffer = build(connection, certificate, (input) =>
		buildOffer({
			...input,
			iceRestart: iceRestart || connection.credentialsToReplace.size > 0,
			sctp: connection.createdDataChannel || connection.sctp ? sctpRecord(connection) : null,
		}),
	);
	return connection.lastOffer;
}

/**
 * The operation that createAnswer() chains.
 *
 * @throws {InvalidStateError} there is no offer to answer
 * @throws {OperationError} no certificate could be made
 * @see https://www.w3.org/TR/webrtc/#dfn-create-an-answer
 */
export async function createAnswer(connection: Connection): Promise<Created> {
	// 1.
	const { signalingState } = connection;
	if (signalingState !== 'have-remote-offer' && signalingState !== 'have-local-pranswer') {
		throw invalidState(`No answer can be created in ${signalingState}`);
	}
	// In-parallel steps 1. – 4.
	const certificate = await connection.certificate();
	await nextTask();
	// Final steps 1. – 5.
	const remote = connection.pendingRemote!.description;
	// A provisional answer has restarted ICE already, if the offer does.
	const previousRemote =
		signalingState === 'have-local-pranswer' ? null : (connection.currentRemote?.description ?? null);
	connection.lastAnswer = build(connection, certificate, (input) =>
		buildAnswer({ ...input, remote, previousRemote, sctp: sctpRecord(connection) }),
	);
	return connection.lastAnswer;
}

function build(connection: Connection, certificate: Certificate, builder: (input: Input) => Built): Created {
	const { transceivers, configuration } = connection;
	connection.sdpVersion += 1;
	const built = negotiating(() =>
		builder({
			sessionId: connection.sdpSessionId,
			sessionVersion: connection.sdpVersion,
			transceivers: transceivers.map(({ record }) => record),
			local: connection.local?.description ?? null,
			remote: connection.remote?.description ?? null,
			transports: transportRecords(connection.transports),
			fingerprints: certificate.fingerprints,
			bundlePolicy: configuration.bundlePolicy,
			newCredentials: randomCredentials,
		}),
	);
	return {
		sdp: write(built.description),
		description: built.description,
		owners: built.owners,
		transceivers: built.assignments.map(({ transceiver }) =>
			transceiver === null ? null : transceivers[transceiver]!,
		),
	};
}

/** Messages are taken up to the session's limit, which its bridge has told before there could be a certificate. */
function sctpRecord({ session }: Connection): { port: number; maxMessageSize: number } {
	return { port: SCTP_PORT, maxMessageSize: session.welcome?.limits.message ?? LEAST_MESSAGE };
}

function transportRecords(transports: ReadonlyMap<string, Transport>): Map<string, TransportRecord> {
	const records = new Map<Transport, TransportRecord>();
	for (const transport of new Set(transports.values())) {
		const { ice, dtls } = transport;
		if (!ice.local) continue;
		const candidates = ice.localCandidates.map(({ candidate }) => candidate);
		records.set(transport, { ...ice.local, candidates, endOfCandidates: ice.endOfCandidates, dtlsRole: dtls.role });
	}
	return new Map(
		[...transports].flatMap(([mid, transport]) => {
			const record = records.get(transport);
			return record ? [[mid, record] as const] : [];
		}),
	);
}
