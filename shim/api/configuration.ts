import {
	defaulted,
	dictionary,
	domString,
	enumeration,
	instanceOf,
	isIterable,
	octetEnforced,
	optional,
	required,
	sequence,
	usvString,
} from '../webidl/convert.ts';
import { RTCCertificate } from './RTCCertificate.ts';
import type { IceServers } from './transport.ts';

/** Servers above this many are ignored; the specification asks for at least 32. */
const MAX_ICE_SERVERS = 32;

const urlList = sequence(usvString);
/** One URL is a list of one, in what getConfiguration() gives, too. */
const urls = (value: unknown, where: string): string[] =>
	isIterable(value) ? urlList(value, where) : [usvString(value, where)];

const toServer = dictionary({
	credential: optional(domString),
	urls: required(urls),
	username: optional(domString),
});

export const toConfiguration = dictionary({
	bundlePolicy: defaulted(
		enumeration('RTCBundlePolicy', ['balanced', 'max-compat', 'max-bundle']),
		() => 'balanced' as const,
	),
	certificates: defaulted(sequence(instanceOf(RTCCertificate)), () => []),
	iceCandidatePoolSize: defaulted(octetEnforced, () => 0),
	iceServers: defaulted(sequence(toServer), () => []),
	iceTransportPolicy: defaulted(enumeration('RTCIceTransportPolicy', ['relay', 'all']), () => 'all' as const),
	// The specification had 'negotiate' once: that it is not supported is another error than that it does not exist.
	rtcpMuxPolicy: defaulted(enumeration('RTCRtcpMuxPolicy', ['negotiate', 'require']), () => 'require' as const),
});

export type Configuration = ReturnType<typeof toConfiguration>;
type Server = ReturnType<typeof toServer>;

/**
 * What is set in place of `old`.
 *
 * @param descriptionWasSet whether setLocalDescription() was called before
 * @throws {InvalidModificationError} something that is fixed at construction differs
 * @throws {SyntaxError} a DOMException: a URL is no STUN or TURN URL
 * @throws {NotSupportedError} RTCP is not to be multiplexed
 * @throws {InvalidAccessError} a TURN server without username or credential
 * @see https://www.w3.org/TR/webrtc/#set-the-configuration
 */
export function setConfiguration(
	given: Configuration,
	old: Configuration | null,
	descriptionWasSet: boolean,
): Configuration {
	// 3.
	if (old) {
		requireUnchanged(sameCertificates(given.certificates, old.certificates), 'certificates');
		requireUnchanged(given.bundlePolicy === old.bundlePolicy, 'bundlePolicy');
		requireUnchanged(given.rtcpMuxPolicy === old.rtcpMuxPolicy, 'rtcpMuxPolicy');
		const samePool = given.iceCandidatePoolSize === old.iceCandidatePoolSize;
		requireUnchanged(samePool || !descriptionWasSet, 'iceCandidatePoolSize');
	}
	if (given.rtcpMuxPolicy === 'negotiate') {
		throw new DOMException('RTCP is always multiplexed with RTP', 'NotSupportedError');
	}
	// 4. – 6.
	const iceServers = given.iceServers.slice(0, MAX_ICE_SERVERS);
	for (const server of iceServers) validateServer(server);
	// 10.
	return { ...given, iceServers };
}

/** The part that the worker needs. */
export function toIceServers({ iceServers, iceTransportPolicy }: Configuration): IceServers {
	return { iceServers, iceTransportPolicy };
}

/** A copy for the page, which may do with it what it likes. */
export function copyConfiguration({ certificates, iceServers, ...rest }: Configuration): Configuration {
	return { ...rest, certificates: [...certificates], iceServers: structuredClone(iceServers) };
}

function requireUnchanged(unchanged: boolean, name: string): void {
	if (!unchanged) throw new DOMException(`${name} cannot be changed any more`, 'InvalidModificationError');
}

function sameCertificates(a: readonly RTCCertificate[], b: readonly RTCCertificate[]): boolean {
	return a.length === b.length && a.every((certificate, index) => certificate === b[index]);
}

function validateServer(server: Server): void {
	if (server.urls.length === 0) throw syntaxError('An ICE server has no URL');
	for (const url of server.urls) validateUrl(url, server);
}

/** @see https://www.w3.org/TR/webrtc/#dfn-validate-an-ice-server-url */
function validateUrl(text: string, server: Server): void {
	// 1. – 2.
	const url = URL.canParse(text) ? new URL(text) : null;
	const scheme = url?.protocol.slice(0, -1);
	if (!url || !scheme || !/^(stun|turn)s?$/.test(scheme)) throw syntaxError(`${text} is no STUN or TURN URL`);
	const path = url.pathname;
	if (/[/@]/.test(path) || text.includes('#')) throw syntaxError(`${text} has more than a host and a port`);
	if (scheme.startsWith('stun') && text.includes('?')) throw syntaxError(`${text}: a STUN URL has no query`);
	// 4. – 5.
	const host = `https://${path}`;
	if (path === '' || !URL.canParse(host) || new URL(host).pathname !== '/')
		throw syntaxError(`${text} has no valid host`);
	// 6.
	if (url.search !== '' && !/^\?transport=(udp|tcp)$/.test(url.search)) {
		throw syntaxError(`${text}: the query is transport=udp or transport=tcp`);
	}
	// 7.
	const hasCredentials = server.username !== undefined && server.credential !== undefined;
	if (scheme.startsWith('turn') && !hasCredentials) {
		throw new DOMException(`${text} needs username and credential`, 'InvalidAccessError');
	}
}

function syntaxError(message: string): DOMException {
	return new DOMException(message, 'SyntaxError');
}
