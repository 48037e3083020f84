/** The fields of a candidate that RTCIceCandidate and the statistics show. */
export interface CandidateFields {
	foundation: string;
	component: RTCIceComponent;
	protocol: RTCIceProtocol;
	priority: number;
	address: string;
	port: number;
	type: RTCIceCandidateType;
	tcpType: RTCIceTcpCandidateType | null;
	relatedAddress: string | null;
	relatedPort: number | null;
	/** The `ufrag` extension of trickled candidates. */
	usernameFragment: string | null;
}

const grammar =
	/^(?:a=)?candidate:([\w+/]{1,32}) ([1-9]\d{0,4}) (\S+) (\d{1,10}) (\S+) (\d{1,5}) typ (\S+)((?: \S+ \S+)*) *$/i;

const components: Record<string, RTCIceComponent> = { 1: 'rtp', 2: 'rtcp' };
const types: readonly string[] = ['host', 'srflx', 'prflx', 'relay'];
const tcpTypes: readonly string[] = ['active', 'passive', 'so'];

/**
 * Parses a candidate attribute; null when it is not well formed or a field has no value in the API.
 * @see https://www.rfc-editor.org/rfc/rfc8839#section-5.1
 */
export function parseCandidate(candidate: string): CandidateFields | null {
	const match = grammar.exec(candidate);
	if (!match) return null;
	const [, foundation, componentId, transport, priority, address, port, type, rest] = match as unknown as string[];
	const component = components[componentId!];
	const protocol = transport!.toLowerCase();
	const extensions = new Map(Array.from(rest!.matchAll(/ (\S+) (\S+)/g), ([, name, value]) => [name!, value!]));
	const tcpType = extensions.get('tcptype') ?? null;
	const relatedPort = extensions.get('rport');
	if (!component || !isProtocol(protocol) || !isType(type!.toLowerCase())) return null;
	if (tcpType !== null && !isTcpType(tcpType)) return null;
	if (Number(port) > 65_535 || Number(relatedPort ?? 0) > 65_535 || Number(priority) > 0xffff_ffff) return null;
	return {
		foundation: foundation!,
		component,
		protocol,
		priority: Number(priority),
		address: address!,
		port: Number(port),
		type: type!.toLowerCase() as RTCIceCandidateType,
		tcpType,
		relatedAddress: extensions.get('raddr') ?? null,
		relatedPort: relatedPort === undefined ? null : Number(relatedPort),
		usernameFragment: extensions.get('ufrag') ?? null,
	};
}

function isProtocol(value: string): value is RTCIceProtocol {
	return value === 'udp' || value === 'tcp';
}

function isType(value: string): value is RTCIceCandidateType {
	return types.includes(value);
}

function isTcpType(value: string): value is RTCIceTcpCandidateType {
	return tcpTypes.includes(value);
}
