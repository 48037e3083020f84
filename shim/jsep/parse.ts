/**
 * SDP text to values. Strict about the lines that it reads, in whatever order they come, and silent about others: as
 * libwebrtc, which other implementations write for, or more lenient.
 * @see https://www.rfc-editor.org/rfc/rfc9429#section-5.8
 */

import { type Draft, readMediaAttribute, readSessionAttribute, settle } from './attributes.ts';
import type { Bandwidth, Description, Section } from './description.ts';
import { SdpError } from './errors.ts';
import { emptySection } from './section.ts';

/** Characters; a description of 1,000 sections as a browser writes them fits. */
export const MAX_LENGTH = 4 << 20;
export const MAX_SECTIONS = 1024;

interface Line {
	number: number;
	type: string;
	value: string;
}

/**
 * @param sdp lines ending in CRLF, or LF alone
 * @throws {SdpError} the text is not SDP, at the line it names
 */
export function parse(sdp: string): Description {
	if (sdp.length > MAX_LENGTH) throw new SdpError(1, `${sdp.length} characters; at most ${MAX_LENGTH} are accepted`);
	const lines = splitLines(sdp);
	const firstMedia = lines.findIndex((line) => line.type === 'm');
	const end = firstMedia < 0 ? lines.length : firstMedia;
	const session = parseSession(lines.slice(0, end));
	const sections: Section[] = [];
	for (let start = end; start < lines.length; ) {
		if (sections.length === MAX_SECTIONS)
			throw new SdpError(lines[start]!.number, `more than ${MAX_SECTIONS} sections`);
		let next = start + 1;
		while (next < lines.length && lines[next]!.type !== 'm') next++;
		sections.push(parseSection(lines.slice(start, next), session.defaults));
		start = next;
	}
	return { ...session.origin, bundle: session.bundle, sections, attributes: session.attributes };
}

function splitLines(sdp: string): Line[] {
	const texts = sdp.split(/\r?\n/);
	if (texts.at(-1) === '') texts.pop();
	return texts.map((text, index) => {
		if (!/^[a-z]=[^\0\r]*$/.test(text))
			throw new SdpError(index + 1, `not of the form <letter>=<value>: ${quote(text)}`);
		return { number: index + 1, type: text.charAt(0), value: text.slice(2) };
	});
}

/** What may follow the three mandatory lines of a session. In a section any may that nobody reads, as in libwebrtc. */
const SESSION_TYPES = 'iuepcbtrzka';

interface Session {
	origin: { sessionId: string; sessionVersion: number };
	bundle: string[][];
	attributes: string[];
	/** What session-level attributes give to every section. */
	defaults: Draft;
}

function parseSession(lines: readonly Line[]): Session {
	const last = lines.at(-1)?.number ?? 0;
	const [version, origin, name, ...rest] = lines;
	if (version?.type !== 'v' || version.value !== '0') throw new SdpError(version?.number ?? 1, 'v=0 is missing');
	if (origin?.type !== 'o') throw new SdpError(origin?.number ?? last + 1, 'o= is missing');
	if (name?.type !== 's') throw new SdpError(name?.number ?? last + 1, 's= is missing');
	const session: Session = {
		origin: parseOrigin(origin),
		bundle: [],
		attributes: [],
		defaults: newDraft(emptySection('session', '')),
	};
	if (!rest.some((line) => line.type === 't')) throw new SdpError(last + 1, 't= is missing');
	for (const line of rest) parseSessionLine(line, session);
	return session;
}

function parseOrigin(line: Line): Session['origin'] {
	const match = /^\S+ (\d{1,20}) (\d{1,20}) IN IP[46] \S+$/.exec(line.value);
	if (!match) throw new SdpError(line.number, `not an origin: ${quote(line.value)}`);
	return { sessionId: match[1]!, sessionVersion: Number(match[2]) };
}

function parseSessionLine(line: Line, session: Session): void {
	if (!SESSION_TYPES.includes(line.type)) throw new SdpError(line.number, `${line.type}= has no place here`);
	switch (line.type) {
		case 't':
			if (!/^\d+ \d+$/.test(line.value)) throw new SdpError(line.number, `not a time: ${quote(line.value)}`);
			return;
		case 'c':
			session.defaults.section.address = parseConnection(line);
			return;
		case 'b':
			parseBandwidth(line);
			return;
		case 'a':
			parseSessionAttribute(line, session);
	}
}

function parseSessionAttribute(line: Line, session: Session): void {
	const [group, ...mids] = line.value.split(' ').filter(Boolean);
	if (group === 'group:BUNDLE') session.bundle.push(mids);
	else if (!readSessionAttribute(line.value, session.defaults, session.attributes))
		throw new SdpError(line.number, `a malformed attribute: ${quote(line.value)}`);
}

function parseSection(lines: readonly Line[], defaults: Draft): Section {
	const [media, ...rest] = lines;
	const section = parseMedia(media!);
	section.address = defaults.section.address;
	section.direction = defaults.section.direction;
	const draft = newDraft(section);
	for (const line of rest) {
		if (line.type === 'c') section.address = parseConnection(line);
		else if (line.type === 'b') section.bandwidth.push(...parseBandwidth(line));
		else if (line.type === 'a' && !readMediaAttribute(line.value, draft))
			throw new SdpError(line.number, `a malformed attribute: ${quote(line.value)}`);
	}
	return settle(draft, defaults);
}

const newDraft = (section: Section): Draft => ({
	section,
	ssrcs: new Map(),
	rtpmaps: new Map(),
	fmtps: new Map(),
	feedback: [],
});

function parseMedia(line: Line): Section {
	const match = /^([\w!#$%&'*+.^`{|}~-]+) (\d{1,5})(?:\/\d+)? ([\w/.+-]+)(?: (.*))?$/.exec(line.value);
	const port = Number(match?.[2]);
	const formats = match?.[4]?.split(' ').filter(Boolean) ?? [];
	if (!match || port > 65535) throw new SdpError(line.number, `not a media description: ${quote(line.value)}`);
	if (formats.length === 0 && port !== 0) throw new SdpError(line.number, 'a media description without formats');
	const section = emptySection(match[1]!, match[3]!);
	if (section.protocol.includes('RTP/') && !formats.every(isPayloadType))
		throw new SdpError(line.number, `not payload types: ${quote(formats.join(' '))}`);
	return { ...section, port, formats };
}

function parseConnection(line: Line): string {
	const match = /^IN IP[46] (\S+)$/.exec(line.value);
	if (!match) throw new SdpError(line.number, `not a connection: ${quote(line.value)}`);
	return match[1]!;
}

/** Nothing of a type that nobody knows and whose value is no number: an X- type may have any. */
function parseBandwidth(line: Line): Bandwidth[] {
	const match = /^([\w-]+):(.*)$/.exec(line.value);
	const isNumber = /^\d{1,15}$/.test(match?.[2] ?? '');
	if (!match || (!isNumber && /^(AS|TIAS)$/.test(match[1]!)))
		throw new SdpError(line.number, `not a bandwidth: ${quote(line.value)}`);
	return isNumber ? [{ type: match[1]!, limit: Number(match[2]) }] : [];
}

const isPayloadType = (format: string): boolean => /^\d{1,3}$/.test(format) && Number(format) < 128;

const quote = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
