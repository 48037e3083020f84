import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { addCandidates, candidateSections, parse, SdpError, write } from '../../shim/jsep/index.ts';
import { CHROME_OFFER, edit, FIREFOX_OFFER } from './jsepTexts.ts';

/** The line that a text is refused at; null when it is not. */
function refusedAt(sdp: string): number | null {
	try {
		parse(sdp);
		return null;
	} catch (error) {
		if (error instanceof SdpError) return error.line;
		throw error;
	}
}

const MINIMAL = [
	'v=0',
	'o=- 1 2 IN IP4 127.0.0.1',
	's=-',
	't=0 0',
	'm=audio 9 UDP/TLS/RTP/SAVPF 0',
	'c=IN IP4 0.0.0.0',
	'a=mid:0',
];
const withLine = (index: number, ...lines: string[]) => MINIMAL.toSpliced(index, 1, ...lines).join('\r\n');

for (const [what, sdp, line] of [
	['nothing', '', 1],
	['a word', 'hello', 1],
	['JSON', '{"sdp":1}', 1],
	['no v=', withLine(0), 1],
	['another version', withLine(0, 'v=1'), 1],
	['no o=', withLine(1), 2],
	['an o= of three words', withLine(1, 'o=- 1 2'), 2],
	['an o= whose session id is a word', withLine(1, 'o=- x 2 IN IP4 0.0.0.0'), 2],
	['no s=', withLine(2), 3],
	['no t=', withLine(3), 4],
	['a t= of words', withLine(3, 't=now then'), 4],
	['a second v=', withLine(3, 't=0 0', 'v=0'), 5],
	['an m= without a port', withLine(4, 'm=audio'), 5],
	['an m= with port 65536', withLine(4, 'm=audio 65536 UDP/TLS/RTP/SAVPF 0'), 5],
	['an m= without formats', withLine(4, 'm=audio 9 UDP/TLS/RTP/SAVPF'), 5],
	['an m= with a word for a payload type', withLine(4, 'm=audio 9 UDP/TLS/RTP/SAVPF opus'), 5],
	['a c= without an address', withLine(5, 'c=IN IP4'), 6],
	['a b= without a number', withLine(5, 'b=AS:fast'), 6],
	['a negative b=', withLine(5, 'b=TIAS:-1'), 6],
	['a b= without a type', withLine(6, 'a=mid:0', 'b=500'), 8],
	['a late c= without an address', withLine(6, 'a=mid:0', 'c=foo'), 8],
	['an empty line', withLine(6, '', 'a=mid:0'), 7],
	['a line of no letter', withLine(6, '=mid:0'), 7],
	['an upper-case letter', withLine(6, 'A=mid:0'), 7],
	['a space before the letter', withLine(6, ' a=mid:0'), 7],
	['an empty attribute', withLine(6, 'a='), 7],
	['an rtpmap without a rate', withLine(6, 'a=rtpmap:96 VP8'), 7],
	['an fmtp of nothing', withLine(6, 'a=fmtp:96'), 7],
	['a setup of a word', withLine(6, 'a=setup:whatever'), 7],
	['a fingerprint of a word', withLine(6, 'a=fingerprint:sha-256 none'), 7],
	['a candidate without a type', withLine(6, 'a=candidate:1 1 udp 1 1.2.3.4 5'), 7],
	['an extmap without a URI', withLine(6, 'a=extmap:1'), 7],
	['a simulcast of one word', withLine(6, 'a=simulcast:send'), 7],
	['a simulcast that sends twice', withLine(6, 'a=simulcast:send 1 send 2'), 7],
	['an sctp-port of a word', withLine(6, 'a=sctp-port:any'), 7],
	['an ssrc-group of words', withLine(6, 'a=ssrc-group:FID 1 two'), 7],
	['an ssrc-group of nothing', withLine(6, 'a=ssrc-group:'), 7],
	['a mid with a space', withLine(6, 'a=mid:0 1'), 7],
] as const) {
	test(`${what} is refused at line ${line}`, () => assert.is(refusedAt(sdp), line));
}

for (const [what, sdp] of [
	['lines that end in LF alone', MINIMAL.join('\n')],
	['a last line without its end', MINIMAL.join('\r\n')],
	['attributes that nobody knows', withLine(6, 'a=mid:0', 'a=x-google-flag:conference', 'a=ptime:20')],
	[
		'what SDP knows and WebRTC does not',
		withLine(3, 'i=info', 'u=http://a', 'e=e', 'p=p', 'c=IN IP6 ::1', 'b=AS:5', 't=0 0', 'r=1', 't=1 2'),
	],
	['an empty s=', withLine(2, 's=')],
	[
		'b=, c= and i= of a session after its attributes',
		withLine(3, 'a=ice-lite', 'b=AS:5', 'c=IN IP4 ::1', 'i=x', 't=0 0'),
	],
	['lines of a section in any order', withLine(5, 'b=AS:5', 'a=mid:0', 'c=IN IP4 1.2.3.4', 'b=TIAS:5', 'i=x', 'k=x')],
	['lines of a section that nobody knows', withLine(6, 'a=mid:0', 'y=0100000001', 'f=v/1/96', 'b=X-a:b')],
	['a closed section without formats', withLine(4, 'm=audio 0 UDP/TLS/RTP/SAVPF ')],
	['a section of another kind', withLine(4, 'm=image 0 udptl t38')],
	['spaces at the end of an attribute', withLine(6, 'a=rtcp-fb:0 transport-cc ')],
	['simulcast as an old draft had it', withLine(6, 'a=simulcast: send rid=1;2')],
] as const) {
	test(`${what} are taken`, () => assert.is(refusedAt(sdp), null));
}

test('b= and c= count wherever they are in their section', () => {
	const [section] = parse(withLine(5, 'b=AS:5', 'a=mid:0', 'c=IN IP4 192.0.2.1', 'b=TIAS:6')).sections;
	assert.is(section!.address, '192.0.2.1');
	assert.equal(section!.bandwidth, [
		{ type: 'AS', limit: 5 },
		{ type: 'TIAS', limit: 6 },
	]);
	const late = withLine(3, 'a=ice-lite', 't=0 0', 'c=IN IP4 192.0.2.2');
	assert.is(parse(late).sections[0]!.address, '0.0.0.0');
	assert.is(parse(edit(late, 'c=IN IP4 0.0.0.0\r\n', '')).sections[0]!.address, '192.0.2.2');
});

test('a text beyond all use is refused before it is read', () => {
	assert.is(refusedAt('v=0\r\n'.repeat(1 << 20)), 1);
	const sections = Array.from({ length: 1025 }, (_, i) => `m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:${i}`);
	assert.is(refusedAt([...MINIMAL.slice(0, 4), ...sections].join('\r\n')), 4 + 2 * 1024 + 1);
});

test("Chrome's offer is read", () => {
	const { sessionId, bundle, sections } = parse(CHROME_OFFER);
	assert.is(sessionId, '5228595038118931041');
	assert.equal(bundle, [['0', '1', '2']]);
	const [audio, video, data] = sections;
	assert.equal(
		audio!.codecs.slice(0, 3).map(({ mimeType, payloadType, channels }) => [mimeType, payloadType, channels]),
		[
			['audio/opus', 111, 2],
			['audio/red', 63, 2],
			['audio/G722', 9, 1],
		],
	);
	assert.ok(sections.every(({ extmapAllowMixed, setup }) => extmapAllowMixed && setup === 'actpass'));
	assert.equal(video!.ssrcGroups, [{ semantics: 'FID', ssrcs: [2231627014, 632943048] }]);
	assert.is(video!.ssrcs[1]!.cname, '4TOk42mSjXCkVIa6');
	assert.is(video!.codecs[0]!.rtcpFeedback.length, 5);
	assert.is(data!.sctpPort, 5000);
	assert.is(data!.maxMessageSize, 262144);
});

test("Firefox's offer is read, what the session says included", () => {
	const [audio, video, data] = parse(FIREFOX_OFFER).sections;
	for (const section of [audio!, video!, data!]) {
		assert.is(section.fingerprints[0]!.algorithm, 'sha-256');
		assert.equal(section.iceOptions, ['trickle']);
		assert.is(section.rejected, false);
	}
	assert.equal([audio!.bundleOnly, video!.bundleOnly, data!.bundleOnly], [false, true, true]);
	assert.is(audio!.candidates.length, 2);
	assert.ok(audio!.endOfCandidates);
	assert.equal(audio!.msids, [
		{ stream: '{5a990edd-0568-ac40-8d97-310fc33f3411}', track: '{218cfa1c-617d-2249-9997-60929ce4c405}' },
	]);
	assert.is(audio!.headerExtensions[1]!.direction, 'recvonly');
	assert.is(video!.codecs.at(-1)!.sdpFmtpLine, 'apt=97');
});

test('what the session says of the transport holds where a section says nothing, but not in a closed one', () => {
	const session =
		'a=ice-ufrag:sess\r\na=ice-pwd:session-password-of-some-length\r\na=setup:active\r\na=recvonly\r\na=ice-lite\r\nm=audio';
	const own = 'a=mid:0\r\na=ice-ufrag:mine\r\na=ice-pwd:my-password-of-some-length\r\na=setup:passive\r\na=sendonly';
	const media = MINIMAL.slice(4).join('\r\n');
	const text = edit(
		[...MINIMAL.slice(0, 4), media, media.replace('a=mid:0', own), media.replace(' 9 ', ' 0 ')].join('\r\n'),
		'm=audio',
		session,
	);
	assert.equal(
		parse(text).sections.map(({ iceUfrag, icePwd, setup, direction, iceLite }) => [
			iceUfrag,
			icePwd,
			setup,
			direction,
			iceLite,
		]),
		[
			['sess', 'session-password-of-some-length', 'active', 'recvonly', true],
			['mine', 'my-password-of-some-length', 'passive', 'sendonly', true],
			[undefined, undefined, undefined, 'recvonly', true],
		],
	);
});

test('SSRCs are read with what is said of them, and only in their range', () => {
	const lines = [
		'a=ssrc:1 cname:c',
		'a=ssrc:1 msid:s t',
		'a=ssrc:2',
		'a=ssrc:3 label:x',
		'a=ssrc:4 msid',
		'a=ssrc:4294967296 cname:c',
	];
	assert.equal(parse(withLine(6, ...lines)).sections[0]!.ssrcs, [
		{ ssrc: 1, cname: 'c', msid: 's t' },
		{ ssrc: 2 },
		{ ssrc: 3 },
		{ ssrc: 4 },
	]);
});

test('static payload types need no rtpmap, except in a closed section', () => {
	assert.equal(parse(MINIMAL.join('\r\n')).sections[0]!.codecs[0]!.mimeType, 'audio/PCMU');
	assert.equal(parse(withLine(4, 'm=audio 0 UDP/TLS/RTP/SAVPF 0')).sections[0]!.codecs, []);
});

test('a feedback line for all codecs means all but rtx', () => {
	const sdp = edit(CHROME_OFFER, 'a=rtcp-fb:98 nack', 'a=rtcp-fb:* ack');
	const { codecs } = parse(sdp).sections[1]!;
	const having = codecs.filter(({ rtcpFeedback }) => rtcpFeedback.some(({ type }) => type === 'ack'));
	assert.equal(
		having.map(({ mimeType }) => mimeType),
		codecs.map(({ mimeType }) => mimeType).filter((type) => type !== 'video/rtx'),
	);
});

for (const [browser, text] of [
	['Chrome', CHROME_OFFER],
	['Firefox', FIREFOX_OFFER],
] as const)
	test(`${browser}'s offer means the same after it was written again`, () => {
		assert.equal(parse(write(parse(text))), parse(text));
	});

test('what we do not interpret is written again', () => {
	const sdp = edit(
		edit(CHROME_OFFER, 'a=setup:actpass', 'a=setup:actpass\r\na=ptime:20'),
		/c=IN IP4 0.0.0.0/,
		'c=IN IP4 0.0.0.0\r\nb=AS:500',
	);
	const written = write(parse(sdp));
	assert.match(written, 'a=ptime:20\r\n');
	assert.match(written, 'b=AS:500\r\n');
});

test('gathered candidates are shown once each, in the section of their mid', () => {
	const one = 'candidate:1 1 udp 2122260223 192.168.0.2 50000 typ host generation 0';
	const two = 'candidate:2 1 udp 1686052607 203.0.113.1 50000 typ srflx raddr 192.168.0.2 rport 50000';
	const first = addCandidates(parse(CHROME_OFFER), new Map([['1', { candidates: [one], endOfCandidates: false }]]));
	const second = addCandidates(first, new Map([['1', { candidates: [one, two], endOfCandidates: true }]]));
	const [audio, video] = second.sections;
	assert.equal(audio!.candidates, []);
	assert.equal(video!.candidates, [one, two]);
	assert.match(write(second), `a=${one}\r\na=${two}\r\na=end-of-candidates\r\n`);
	assert.equal(parse(CHROME_OFFER).sections[1]!.candidates, []);
	const closed = {
		...second,
		sections: second.sections.map((section) => ({ ...section, rejected: true, candidates: [] })),
	};
	assert.equal(addCandidates(closed, new Map([['1', { candidates: [one], endOfCandidates: true }]])), closed);
});

for (const [what, place, expected] of [
	['a mid', { sdpMid: '1' }, [1]],
	['a mid before an index', { sdpMid: '1', sdpMLineIndex: 0 }, [1]],
	['an index', { sdpMid: null, sdpMLineIndex: 2 }, [2]],
	['an unknown mid', { sdpMid: '7' }, []],
	['an index beyond the last', { sdpMLineIndex: 3 }, []],
	['nothing', {}, [0, 1, 2]],
	['a mid with its ufrag', { sdpMid: '0', usernameFragment: 'xOnA' }, [0]],
	['a mid with a ufrag of another generation', { sdpMid: '0', usernameFragment: 'else' }, []],
	['only a ufrag', { usernameFragment: 'wU1l' }, [1]],
] as const)
	test(`a candidate with ${what} belongs to [${expected}]`, () => {
		assert.equal(candidateSections(parse(CHROME_OFFER), place), [...expected]);
	});

test.run();
