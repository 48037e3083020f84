/** The attributes that negotiation understands: a reader each, by name. */

import { buildCodecs, type CodecLines } from './codecLines.ts';
import type { Direction, Section, Setup } from './description.ts';

/** A section while its lines are read. */
export interface Draft extends CodecLines {
	section: Section;
	/** The section's, by number: a text may name very many. */
	ssrcs: Map<number, Section['ssrcs'][number]>;
}

/** Takes a value into the draft; false when it is malformed. */
type Reader = (value: string, draft: Draft) => boolean;

const MAX_SSRC = 0xffffffff;

const setDirection =
	(direction: Direction): Reader =>
	(_value, { section }) => {
		section.direction = direction;
		return true;
	};

const flag =
	(name: 'iceLite' | 'endOfCandidates' | 'extmapAllowMixed' | 'rtcpMux' | 'rtcpRsize' | 'bundleOnly'): Reader =>
	(_value, { section }) => {
		section[name] = true;
		return true;
	};

/** A reader for values of one pattern. */
const pattern =
	(regexp: RegExp, take: (match: RegExpExecArray, draft: Draft) => void): Reader =>
	(value, draft) => {
		const match = regexp.exec(value);
		if (match) take(match, draft);
		return match !== null;
	};

/** What we write ourselves and need not remember. */
const ignored: Reader = () => true;

/** At session level these hold for every section that does not say otherwise. */
const sharedReaders: Record<string, Reader> = {
	'ice-ufrag': pattern(/^\S+$/, ([ufrag], { section }) => {
		section.iceUfrag = ufrag;
	}),
	'ice-pwd': pattern(/^\S+$/, ([pwd], { section }) => {
		section.icePwd = pwd;
	}),
	'ice-options': (value, { section }) => {
		section.iceOptions = value.split(' ').filter(Boolean);
		return true;
	},
	'ice-lite': flag('iceLite'),
	fingerprint: pattern(/^([\w-]+) ([\dA-Fa-f]{2}(?::[\dA-Fa-f]{2})*)$/, (match, { section }) => {
		section.fingerprints.push({ algorithm: match[1]!.toLowerCase(), value: match[2]! });
	}),
	setup: pattern(/^(?:active|passive|actpass|holdconn)$/, ([setup], { section }) => {
		section.setup = setup as Setup;
	}),
	'extmap-allow-mixed': flag('extmapAllowMixed'),
	'msid-semantic': ignored,
	sendrecv: setDirection('sendrecv'),
	sendonly: setDirection('sendonly'),
	recvonly: setDirection('recvonly'),
	inactive: setDirection('inactive'),
};

const mediaReaders: Record<string, Reader> = {
	...sharedReaders,
	mid: pattern(/^[\w!#$%&'*+.^`{|}~-]{1,255}$/, ([mid], { section }) => {
		section.mid = mid;
	}),
	candidate: pattern(/^\S{1,64} \d{1,5} \S+ \d{1,10} \S+ \d{1,5} typ \S+(?: .*)?$/, ([value], { section }) => {
		section.candidates.push(`candidate:${value}`);
	}),
	'end-of-candidates': flag('endOfCandidates'),
	'bundle-only': flag('bundleOnly'),
	rtcp: ignored,
	'rtcp-mux': flag('rtcpMux'),
	'rtcp-rsize': flag('rtcpRsize'),
	rtpmap: pattern(/^(\d{1,3}) ([\w!#$%&'*+.^`{|}~-]+)\/(\d{1,9})(?:\/(\d{1,3}))?$/, (match, { section, rtpmaps }) => {
		const codec = { mimeType: `${section.kind}/${match[2]}`, clockRate: Number(match[3]) };
		rtpmaps.set(Number(match[1]), section.kind === 'audio' ? { ...codec, channels: Number(match[4] ?? 1) } : codec);
	}),
	fmtp: pattern(/^(\d{1,3}) (.+)$/, (match, { fmtps }) => {
		fmtps.set(Number(match[1]), match[2]!);
	}),
	'rtcp-fb': pattern(/^(\d{1,3}|\*) (\S+)(?: (.+))?$/, (match, { feedback }) => {
		const parameter = match[3] === undefined ? {} : { parameter: match[3] };
		feedback.push({
			payloadType: match[1] === '*' ? '*' : Number(match[1]),
			feedback: { type: match[2]!, ...parameter },
		});
	}),
	extmap: pattern(/^(\d{1,4})(?:\/(sendrecv|sendonly|recvonly|inactive))? (\S+)(?: .*)?$/, (match, { section }) => {
		const direction = match[2] === undefined ? {} : { direction: match[2] as Direction };
		section.headerExtensions.push({ id: Number(match[1]), uri: match[3]!, ...direction });
	}),
	msid: pattern(/^(\S{1,64})(?: (\S{1,64}))?$/, (match, { section }) => {
		section.msids.push(match[2] === undefined ? { stream: match[1]! } : { stream: match[1]!, track: match[2] });
	}),
	ssrc: pattern(/^(\d{1,10})(?: ([\w-]+)(?::(.*))?)?$/, readSsrc),
	'ssrc-group': (value, { section }) => {
		const [semantics, ...ssrcs] = value.split(' ').filter(Boolean);
		if (semantics === undefined || !ssrcs.every((ssrc) => /^\d{1,10}$/.test(ssrc))) return false;
		section.ssrcGroups.push({ semantics, ssrcs: ssrcs.map(Number) });
		return true;
	},
	rid: pattern(/^([\w-]{1,255}) (send|recv)(?: (.+))?$/, (match, { section }) => {
		const params = match[3] === undefined ? {} : { params: match[3] };
		section.rids.push({ rid: match[1]!, direction: match[2] as 'send' | 'recv', ...params });
	}),
	simulcast: readSimulcast,
	'sctp-port': pattern(/^\d{1,5}$/, ([port], { section }) => {
		section.sctpPort = Number(port);
	}),
	'max-message-size': pattern(/^\d{1,15}$/, ([size], { section }) => {
		section.maxMessageSize = Number(size);
	}),
};

/** Reads an attribute of the session into `draft`, what all sections inherit; false when it is malformed. */
export const readSessionAttribute = (attribute: string, draft: Draft, others: string[]): boolean =>
	read(attribute, draft, sharedReaders, others);

/** Reads an attribute of a section; false when it is malformed. */
export const readMediaAttribute = (attribute: string, draft: Draft): boolean =>
	read(attribute, draft, mediaReaders, draft.section.attributes);

function read(line: string, draft: Draft, readers: Record<string, Reader>, others: string[]): boolean {
	// mediasoup-client leaves a space at the end of a=rtcp-fb without a parameter.
	const attribute = line.trimEnd();
	const colon = attribute.indexOf(':');
	const name = colon < 0 ? attribute : attribute.slice(0, colon);
	if (name === '') return false;
	// `simulcast: …` with a space is an old draft that nobody negotiates now.
	const reader = Object.hasOwn(readers, name) && !attribute.startsWith('simulcast: ') ? readers[name] : undefined;
	if (reader) return reader(colon < 0 ? '' : attribute.slice(colon + 1), draft);
	others.push(attribute);
	return true;
}

function readSsrc(match: RegExpExecArray, { section, ssrcs }: Draft): void {
	const ssrc = Number(match[1]);
	if (ssrc > MAX_SSRC) return;
	let entry = ssrcs.get(ssrc);
	if (!entry) {
		entry = { ssrc };
		ssrcs.set(ssrc, entry);
		section.ssrcs.push(entry);
	}
	if (match[2] === 'cname' && match[3] !== undefined) entry.cname = match[3];
	if (match[2] === 'msid' && match[3] !== undefined) entry.msid = match[3];
}

function readSimulcast(value: string, { section }: Draft): boolean {
	const parts = value.split(' ').filter(Boolean);
	const simulcast: Section['simulcast'] = {};
	for (let i = 0; i < parts.length; i += 2) {
		const direction = parts[i];
		const list = parts[i + 1];
		if ((direction !== 'send' && direction !== 'recv') || simulcast[direction]) return false;
		if (!list || !/^~?[\w-]+(?:[,;]~?[\w-]+)*$/.test(list)) return false;
		simulcast[direction] = list.split(';');
	}
	section.simulcast = simulcast;
	return parts.length > 0;
}

/** The section once all its lines are read: codecs put together, what the session said inherited. */
export function settle(draft: Draft, { section: session }: Draft): Section {
	const { section } = draft;
	section.rejected = section.port === 0 && !section.bundleOnly;
	section.codecs = buildCodecs(draft, section);
	section.extmapAllowMixed ||= session.extmapAllowMixed;
	section.iceLite ||= session.iceLite;
	if (section.rejected) return section;
	if (section.iceUfrag === undefined && session.iceUfrag !== undefined) section.iceUfrag = session.iceUfrag;
	if (section.icePwd === undefined && session.icePwd !== undefined) section.icePwd = session.icePwd;
	if (section.setup === undefined && session.setup !== undefined) section.setup = session.setup;
	if (section.iceOptions.length === 0) section.iceOptions = [...session.iceOptions];
	if (section.fingerprints.length === 0) section.fingerprints = [...session.fingerprints];
	return section;
}
