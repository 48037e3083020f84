import type { DtlsStats, IceStats } from '../../rpc/schema.ts';
import { parseCandidate } from '../candidateAttribute.ts';
import type { Connection } from '../connection.ts';
import type { RTCIceCandidate } from '../RTCIceCandidate.ts';
import type { Transport } from '../transport.ts';
import { sectionOf } from '../transports.ts';
import type { Entry } from './entry.ts';

export const transportId = (transport: Transport): string => `T${transport.mid}`;

/** A transport with its certificates, candidates and pair. @see https://www.w3.org/TR/webrtc-stats/#transportstats-dict* */
export function transportEntries(
	connection: Connection,
	transport: Transport,
	ice: IceStats | null,
	dtls: DtlsStats | null,
): Entry[] {
	const id = transportId(transport);
	const local = localCandidates(transport, ice).map((each) => candidateEntry('local-candidate', each, id));
	const remote = remoteCandidates(transport, ice).map((each) => remoteEntry(transport, each, id));
	const pair = pairEntry(transport, ice, id);
	const certificates = certificateEntries(connection, transport, dtls, id);
	return [
		{
			id,
			type: 'transport',
			packetsSent: ice?.packetsSent ?? 0,
			packetsReceived: ice?.packetsReceived ?? 0,
			bytesSent: ice?.bytesSent ?? 0,
			bytesReceived: ice?.bytesReceived ?? 0,
			iceRole: ice?.role ?? 'unknown',
			iceLocalUsernameFragment: ice?.usernameFragment,
			iceState: transport.ice.state,
			dtlsState: transport.dtls.state,
			dtlsRole: dtls?.role ?? 'unknown',
			tlsVersion: dtls?.tlsVersion,
			dtlsCipher: dtls?.dtlsCipher,
			srtpCipher: dtls?.srtpCipher,
			selectedCandidatePairId: pair?.id,
			selectedCandidatePairChanges: ice?.selectedPairChanges ?? 0,
			localCertificateId: certificates.find((entry) => entry.id.startsWith('CL'))?.id,
			remoteCertificateId: certificates.find((entry) => entry.id.startsWith('CR'))?.id,
		},
		...certificates,
		...local,
		...remote,
		...(pair ? [pair] : []),
	];
}

/** Those that were gathered, and the selected pair's, which may be loopback's: that is announced to nobody. */
function localCandidates(transport: Transport, ice: IceStats | null): RTCIceCandidate[] {
	const { localCandidates: known, selectedPair } = transport.ice;
	const selected = ice?.selectedPair && selectedPair ? [selectedPair.local] : [];
	return [...new Set([...known, ...selected])];
}

/** Those the peer gave, and the peer-reflexive one of the selected pair. */
function remoteCandidates(transport: Transport, ice: IceStats | null): RTCIceCandidate[] {
	const { remoteCandidates: known, selectedPair } = transport.ice;
	const selected = ice?.selectedPair && selectedPair ? [selectedPair.remote] : [];
	return [...new Set([...known, ...selected])];
}

/** @see https://www.w3.org/TR/webrtc-stats/#icecandidate-dict* */
function candidateEntry(
	type: 'local-candidate' | 'remote-candidate',
	candidate: RTCIceCandidate,
	transport: string,
): Entry {
	return {
		id: candidateId(transport, type, candidate),
		type,
		transportId: transport,
		address: candidate.address,
		port: candidate.port,
		protocol: candidate.protocol,
		candidateType: candidate.type,
		priority: candidate.priority,
		foundation: candidate.foundation,
		relatedAddress: candidate.relatedAddress,
		relatedPort: candidate.relatedPort,
		usernameFragment: candidate.usernameFragment,
		tcpType: candidate.tcpType,
		url: candidate.url,
	};
}

/**
 * What the application has not given, such as a peer-reflexive address, is not told.
 * @see https://www.w3.org/TR/webrtc-stats/#dom-rtcicecandidatestats-address
 */
function remoteEntry(transport: Transport, candidate: RTCIceCandidate, id: string): Entry {
	const entry = candidateEntry('remote-candidate', candidate, id);
	if (isGiven(transport, candidate)) return entry;
	return { ...entry, id: remoteId(transport, candidate, id), address: null, usernameFragment: undefined };
}

function remoteId(transport: Transport, candidate: RTCIceCandidate, id: string): string {
	if (isGiven(transport, candidate)) return candidateId(id, 'remote-candidate', candidate);
	return `${id}_IR_${candidate.foundation}_${candidate.port}`;
}

function isGiven({ ice }: Transport, { address, port }: RTCIceCandidate): boolean {
	return ice.remoteCandidates.some((given) => given.address === address && given.port === port);
}

function candidateId(transport: string, type: string, { candidate }: RTCIceCandidate): string {
	const fields = parseCandidate(candidate);
	const place = fields ? `${fields.foundation}_${fields.protocol}_${fields.address}_${fields.port}` : candidate;
	return `${transport}_${type === 'local-candidate' ? 'IL' : 'IR'}_${place}`;
}

/** The selected pair; of others the worker keeps no counters. @see https://www.w3.org/TR/webrtc-stats/#candidatepair-dict* */
function pairEntry(transport: Transport, ice: IceStats | null, id: string): Entry | null {
	const pair = transport.ice.selectedPair;
	if (!ice || !pair) return null;
	return {
		id: `${id}_P`,
		type: 'candidate-pair',
		transportId: id,
		localCandidateId: candidateId(id, 'local-candidate', pair.local),
		remoteCandidateId: remoteId(transport, pair.remote, id),
		state: 'succeeded',
		nominated: true,
		packetsSent: ice.packetsSent,
		packetsReceived: ice.packetsReceived,
		bytesSent: ice.bytesSent,
		bytesReceived: ice.bytesReceived,
		packetsDiscardedOnSend: ice.packetsDiscardedOnSend,
		responsesReceived: ice.responsesReceived,
		currentRoundTripTime: ice.currentRoundTripTime,
		totalRoundTripTime: ice.totalRoundTripTime,
	};
}

/** @see https://www.w3.org/TR/webrtc-stats/#certificatestats-dict* */
function certificateEntries(connection: Connection, transport: Transport, dtls: DtlsStats | null, id: string): Entry[] {
	const { readyCertificate, remote } = connection;
	const entries: Entry[] = [];
	const [ours] = readyCertificate?.fingerprints ?? [];
	if (ours) {
		const base64 = readyCertificate?.pem?.replace(/-----[^-]+-----|\s/g, '');
		entries.push(certificateEntry(`CL${ours.value.replaceAll(':', '')}`, ours, base64));
	}
	const [theirs] = sectionOf(remote?.description, transport.mid)?.fingerprints ?? [];
	const [certificate] = dtls?.remoteCertificates ?? [];
	if (theirs && certificate) entries.push(certificateEntry(`CR${id}`, theirs, certificate));
	return entries;
}

function certificateEntry(
	id: string,
	{ algorithm, value }: { algorithm: string; value: string },
	base64Certificate: string | undefined,
): Entry {
	return { id, type: 'certificate', fingerprint: value, fingerprintAlgorithm: algorithm, base64Certificate };
}
