/** Values to SDP text, in the order in which Chrome writes its lines. */

import { writeCodec } from './codecLines.ts';
import type { Description, Section } from './description.ts';
import { isMedia } from './section.ts';

/** The text of a description, each line ending in CRLF. */
export function write(description: Description): string {
	const { sections } = description;
	// Said once for all where it holds for all; a section repeats it only where it does not.
	const mixed = sections.length > 0 && sections.every((section) => section.extmapAllowMixed);
	const lite = sections.length > 0 && sections.every((section) => section.iceLite);
	const lines = [
		'v=0',
		`o=- ${description.sessionId} ${description.sessionVersion} IN IP4 127.0.0.1`,
		's=-',
		't=0 0',
		...description.bundle.map((mids) => `a=${['group:BUNDLE', ...mids].join(' ')}`),
		...(mixed ? ['a=extmap-allow-mixed'] : []),
		'a=msid-semantic: WMS *',
		...(lite ? ['a=ice-lite'] : []),
		...description.attributes.map((attribute) => `a=${attribute}`),
		...sections.flatMap((section) => writeSection(section, mixed)),
	];
	return `${lines.join('\r\n')}\r\n`;
}

function writeSection(section: Section, mixed: boolean): string[] {
	const family = section.address.includes(':') ? 'IP6' : 'IP4';
	const connection = `IN ${family} ${section.address}`;
	return [
		`m=${section.kind} ${section.port} ${[section.protocol, ...section.formats].join(' ')}`,
		`c=${connection}`,
		...section.bandwidth.map(({ type, limit }) => `b=${type}:${limit}`),
		...(isMedia(section) && section.port !== 0 ? [`a=rtcp:${section.port} ${connection}`] : []),
		...writeTransport(section),
		...(section.mid === '' ? [] : [`a=mid:${section.mid}`]),
		...(section.bundleOnly ? ['a=bundle-only'] : []),
		...section.headerExtensions.map(
			({ id, direction, uri }) => `a=extmap:${id}${direction === undefined ? '' : `/${direction}`} ${uri}`,
		),
		...(section.extmapAllowMixed && !mixed ? ['a=extmap-allow-mixed'] : []),
		...(isMedia(section) || section.direction !== 'sendrecv' ? [`a=${section.direction}`] : []),
		...section.msids.map(({ stream, track }) => `a=msid:${stream}${track === undefined ? '' : ` ${track}`}`),
		...(section.rtcpMux ? ['a=rtcp-mux'] : []),
		...(section.rtcpRsize ? ['a=rtcp-rsize'] : []),
		...section.codecs.flatMap(writeCodec),
		...section.attributes.map((attribute) => `a=${attribute}`),
		...writeStreams(section),
		...(section.sctpPort === undefined ? [] : [`a=sctp-port:${section.sctpPort}`]),
		...(section.maxMessageSize === undefined ? [] : [`a=max-message-size:${section.maxMessageSize}`]),
	];
}

function writeTransport(section: Section): string[] {
	return [
		...section.candidates.map((candidate) => `a=${candidate}`),
		...(section.endOfCandidates ? ['a=end-of-candidates'] : []),
		...(section.iceUfrag === undefined ? [] : [`a=ice-ufrag:${section.iceUfrag}`]),
		...(section.icePwd === undefined ? [] : [`a=ice-pwd:${section.icePwd}`]),
		...(section.iceOptions.length === 0 ? [] : [`a=ice-options:${section.iceOptions.join(' ')}`]),
		...section.fingerprints.map(({ algorithm, value }) => `a=fingerprint:${algorithm} ${value}`),
		...(section.setup === undefined ? [] : [`a=setup:${section.setup}`]),
	];
}

function writeStreams(section: Section): string[] {
	const { simulcast } = section;
	const lists = (['send', 'recv'] as const).flatMap((direction) => {
		const list = simulcast?.[direction];
		return list ? [`${direction} ${list.join(';')}`] : [];
	});
	return [
		...section.rids.map(
			({ rid, direction, params }) => `a=rid:${[rid, direction, ...(params ? [params] : [])].join(' ')}`,
		),
		...(lists.length > 0 ? [`a=simulcast:${lists.join(' ')}`] : []),
		...section.ssrcGroups.map(({ semantics, ssrcs }) => `a=ssrc-group:${[semantics, ...ssrcs].join(' ')}`),
		...section.ssrcs.flatMap(writeSsrc),
	];
}

function writeSsrc({ ssrc, cname, msid }: Section['ssrcs'][number]): string[] {
	if (cname === undefined && msid === undefined) return [`a=ssrc:${ssrc}`];
	return [
		...(cname === undefined ? [] : [`a=ssrc:${ssrc} cname:${cname}`]),
		...(msid === undefined ? [] : [`a=ssrc:${ssrc} msid:${msid}`]),
	];
}
