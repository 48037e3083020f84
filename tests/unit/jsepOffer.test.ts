import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type BundlePolicy, type Description, getCapabilities, parse } from '../../shim/jsep/index.ts';
import { negotiate, Peer } from './jsepPeer.ts';
import { CHROME_OFFER, edit, FIREFOX_OFFER } from './jsepTexts.ts';

const outline = ({ sections }: Description) =>
	sections.map(({ kind, mid, rejected }) => `${kind} ${mid}${rejected ? ' closed' : ''}`);
const local = (peer: Peer) => peer.stable!.local;

test('an offer of everything is the text that browsers and SFUs know', () => {
	const peer = new Peer('a');
	peer.add('audio');
	peer.add('video', 'recvonly');
	peer.wantsData = true;
	const sections = peer.offer().split('m=');
	assert.is(
		sections[0],
		[
			'v=0',
			'o=- 4611731400430051336 1 IN IP4 127.0.0.1',
			's=-',
			't=0 0',
			'a=group:BUNDLE 0 1 2',
			'a=extmap-allow-mixed',
			'a=msid-semantic: WMS *',
			'',
		].join('\r\n'),
	);
	assert.is(
		sections[1],
		[
			'audio 9 UDP/TLS/RTP/SAVPF 111 9 0 8 110 126',
			'c=IN IP4 0.0.0.0',
			'a=rtcp:9 IN IP4 0.0.0.0',
			'a=ice-ufrag:a6frag',
			'a=ice-pwd:a6pppppppppppppppppppppp',
			'a=ice-options:trickle',
			'a=fingerprint:sha-256 61:FF',
			'a=setup:actpass',
			'a=mid:0',
			'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level',
			'a=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
			'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
			'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
			'a=sendrecv',
			'a=msid:stream-a track-a1',
			'a=rtcp-mux',
			'a=rtcp-rsize',
			'a=rtpmap:111 opus/48000/2',
			'a=rtcp-fb:111 transport-cc',
			'a=fmtp:111 minptime=10;useinbandfec=1',
			'a=rtpmap:9 G722/8000',
			'a=rtpmap:0 PCMU/8000',
			'a=rtpmap:8 PCMA/8000',
			'a=rtpmap:110 telephone-event/48000',
			'a=rtpmap:126 telephone-event/8000',
			'a=ssrc:6356994 cname:cname-a',
			'a=ssrc:6356994 msid:stream-a track-a1',
			'',
		].join('\r\n'),
	);
	assert.match(sections[2]!, /^video 9 UDP\/TLS\/RTP\/SAVPF 96 97 102 103 106 107\r\n/);
	assert.not.match(sections[2]!, /a=(ssrc|msid)/);
	assert.match(sections[3]!, /^application 9 UDP\/DTLS\/SCTP webrtc-datachannel\r\n/);
	assert.match(sections[3]!, /a=sctp-port:5000\r\na=max-message-size:262144\r\n$/);
	assert.is(sections[3]!.includes('a=sendrecv'), false);
});

test('video that is sent names its SSRC and the one that repairs it', () => {
	const peer = new Peer('a');
	const { sendEncodings } = peer.add('video', 'sendonly');
	const { ssrc, rtxSsrc } = sendEncodings[0]!;
	const [section] = parse(peer.offer()).sections;
	assert.equal(section!.ssrcGroups, [{ semantics: 'FID', ssrcs: [ssrc, rtxSsrc] }]);
	assert.equal(
		section!.ssrcs.map(({ cname }) => cname),
		['cname-a', 'cname-a'],
	);
});

test('a sender of no stream says so', () => {
	const peer = new Peer('a');
	peer.add('audio').streams = [];
	assert.match(peer.offer(), 'a=msid:- track-a1\r\n');
});

test('an offer of nothing is one', () => {
	const { sections, bundle } = parse(new Peer('a').offer());
	assert.equal([sections.length, bundle.length], [0, 0]);
});

test('asked twice, the offer is laid out twice the same', () => {
	const peer = new Peer('a');
	peer.add('audio');
	assert.equal(outline(parse(peer.offer())), outline(parse(peer.offer())));
});

for (const [policy, transports, bundleOnly] of [
	['max-bundle', 1, []],
	['balanced', 3, ['2']],
	['max-compat', 4, []],
] as [BundlePolicy, number, string[]][])
	test(`${policy}: audio, two videos and data come with ${transports} transports`, () => {
		const peer = new Peer('a', policy);
		peer.add('audio');
		peer.add('video');
		peer.add('video');
		peer.wantsData = true;
		const offer = peer.offer();
		const { sections, bundle } = parse(offer);
		assert.is(new Set(sections.map(({ iceUfrag, icePwd }) => `${iceUfrag} ${icePwd}`)).size, 1);
		peer.setLocal('offer', offer);
		assert.is(new Set(peer.transports.values()).size, transports);
		assert.equal(
			sections.filter((section) => section.bundleOnly).map(({ mid }) => mid),
			bundleOnly,
		);
		assert.equal(
			sections.map(({ port }) => port),
			sections.map((section) => (section.bundleOnly ? 0 : 9)),
		);
		assert.equal(bundle, [['0', '1', '2', '3']]);
	});

test('what is added once a group was negotiated joins its transport, whatever the policy', () => {
	const [a, b] = [new Peer('a', 'max-compat'), new Peer('b')];
	a.add('audio');
	negotiate(a, b);
	a.add('video');
	a.wantsData = true;
	const { sections } = parse(a.offer());
	assert.is(new Set(sections.map(({ iceUfrag }) => iceUfrag)).size, 1);
	assert.equal(
		sections.map(({ port, bundleOnly }) => [port, bundleOnly]),
		[
			[9, false],
			[9, false],
			[9, false],
		],
	);
});

test('an offer made again before the answer keeps transports and bundle-only, and adds by the policy', () => {
	const [a, b] = [new Peer('a', 'balanced'), new Peer('b')];
	a.add('audio');
	a.add('audio');
	a.setLocal('offer', a.offer());
	const bundleOnly = (sdp: string) => parse(sdp).sections.map((section) => section.bundleOnly);
	const owners = () => ['0', '1', '2', '3'].map((mid) => [...a.pending!.owners].find(([each]) => each === mid)?.[1]);
	assert.equal(owners(), ['0', '0', undefined, undefined]);
	a.add('video');
	a.add('video');
	const second = a.offer();
	assert.equal(bundleOnly(second), [false, true, false, true]);
	a.setLocal('offer', second);
	assert.equal(owners(), ['0', '0', '2', '0']);
	b.setRemote('offer', second);
	a.setRemote('answer', b.answer());
	const third = a.offer();
	assert.equal(bundleOnly(third), [false, false, false, false]);
	a.setLocal('offer', third);
	assert.equal(owners(), ['0', '0', '0', '0']);
});

test('transports of different credentials are in different groups until all restart', () => {
	const [a, b] = [new Peer('a', 'max-compat'), new Peer('b', 'max-compat')];
	a.add('audio');
	a.add('video');
	const unbundled = (sdp: string) => sdp.replace(/a=group:BUNDLE.*\r\n/, '');
	const offer = unbundled(a.offer());
	b.setRemote('offer', offer);
	b.setLocal('answer', b.answer());
	// ICE of the second is restarted alone.
	b.setRemote('offer', offer.replace(/(m=video[\s\S]*a=ice-ufrag:)/, '$1new'));
	b.setLocal('answer', b.answer());
	b.add('audio');
	assert.equal(parse(b.offer()).bundle, [['0', '2'], ['1']]);
	assert.equal(parse(b.offer({ iceRestart: true })).bundle, [['0', '1', '2']]);
});

test('a stopped transceiver closes its section; the next one takes it under a new mid, whatever its kind', () => {
	const [a, b] = [new Peer('a'), new Peer('b')];
	a.add('audio');
	const video = a.add('video');
	a.wantsData = true;
	negotiate(a, b);
	video.stopping = true;
	a.add('audio');
	// It is not closed yet, so it cannot be taken yet.
	negotiate(a, b);
	assert.equal(outline(local(a)), ['audio 0', 'video 1 closed', 'application 2', 'audio 3']);
	assert.equal(local(a).bundle, [['0', '2', '3']]);
	const { sections } = local(a);
	assert.equal([sections[1]!.iceUfrag, sections[1]!.codecs, sections[1]!.port], [undefined, [], 0]);
	a.add('audio');
	negotiate(a, b);
	assert.equal(outline(local(a)), ['audio 0', 'audio 4', 'application 2', 'audio 3']);
	assert.equal(local(a).bundle, [['0', '2', '3', '4']]);
});

test('either side may take the closed section', () => {
	const [a, b] = [new Peer('a'), new Peer('b')];
	const record = a.add('audio');
	a.add('video');
	negotiate(a, b);
	record.stopping = true;
	negotiate(a, b);
	b.add('video');
	negotiate(b, a);
	assert.equal(outline(local(a)), ['video 2', 'video 1']);
	// The tag stays where the transport is.
	assert.equal(local(a).bundle, [['1', '2']]);
});

test('data that was refused may be offered again in its old place', () => {
	const peer = new Peer('a');
	peer.add('audio');
	peer.wantsData = true;
	const other = new Peer('b');
	const offer = peer.offer();
	peer.setLocal('offer', offer);
	other.setRemote('offer', edit(offer, 'a=sctp-port:5000\r\n', ''));
	const answer = other.answer();
	assert.equal(outline(parse(answer)), ['audio 0', 'application 1 closed']);
	peer.setRemote('answer', answer);
	assert.equal(outline(parse(peer.offer())), ['audio 0', 'application 2']);
});

test('a section keeps the codecs, payload types and ids that a browser brought; what is new avoids them', () => {
	const peer = new Peer('a');
	peer.setRemote('offer', FIREFOX_OFFER);
	peer.setLocal('answer', peer.answer());
	peer.add('video');
	const [audio, video, , added] = parse(peer.offer()).sections;
	assert.is(audio!.codecs[0]!.payloadType, 109);
	assert.equal(
		video!.codecs.map(({ mimeType, payloadType, sdpFmtpLine }) => [
			mimeType,
			payloadType,
			sdpFmtpLine?.match(/apt=\d+/)?.[0],
		]),
		[
			['video/VP8', 120, undefined],
			['video/rtx', 124, 'apt=120'],
			['video/H264', 126, undefined],
			['video/rtx', 127, 'apt=126'],
			['video/H264', 102, undefined],
			['video/rtx', 103, 'apt=102'],
		],
	);
	const numbers = ({ codecs }: typeof video & object) =>
		new Map(codecs.map(({ payloadType, ...codec }) => [JSON.stringify(codec), payloadType]));
	assert.equal(numbers(added!), numbers(video!));
	const ids = new Map(
		[audio, video, added].flatMap((section) => section!.headerExtensions.map(({ id, uri }) => [uri, id] as const)),
	);
	assert.is(ids.get('urn:ietf:params:rtp-hdrext:sdes:mid'), 3);
	assert.is(ids.get('http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time'), 4);
	assert.is(new Set(ids.values()).size, ids.size);
});

test('a payload type that another codec has is not taken for ours', () => {
	const peer = new Peer('a');
	// The browser's 96 is AV1; VP8 must go elsewhere.
	peer.setRemote(
		'offer',
		CHROME_OFFER.replaceAll(/\b(96|97) (VP8|rtx)/g, (_, pt, name) => `${pt} ${name === 'VP8' ? 'AV1' : 'rtx'}`),
	);
	peer.setLocal('answer', peer.answer());
	peer.add('video');
	const [, , , added] = parse(peer.offer()).sections;
	const vp8 = added!.codecs.find(({ mimeType }) => mimeType === 'video/VP8')!;
	assert.not.ok([96, 97, 98, 99, 102, 103, 104, 105, 108, 109, 45, 46, 125, 127].includes(vp8.payloadType));
});

test('the numbers of a closed section are free', () => {
	const peer = new Peer('a');
	const closed = edit(edit(CHROME_OFFER, 'm=video 9', 'm=video 0'), 'BUNDLE 0 1 2', 'BUNDLE 0 2');
	peer.setRemote('offer', edit(closed, 'a=rtpmap:96 VP8', 'a=rtpmap:96 AV1'));
	peer.setLocal('answer', peer.answer());
	peer.add('video');
	const [, recycled] = parse(peer.offer()).sections;
	assert.equal(
		recycled!.codecs
			.slice(0, 2)
			.map(({ mimeType, payloadType, rtcpFeedback }) => [mimeType, payloadType, rtcpFeedback.length]),
		[
			['video/VP8', 96, 5],
			['video/rtx', 97, 0],
		],
	);
});

test('codec preferences order and reduce what is offered; without rtx there is none', () => {
	const peer = new Peer('a');
	const { codecs } = getCapabilities('video')!;
	const record = peer.add('video');
	const payloadTypes = () => parse(peer.offer()).sections[0]!.codecs.map(({ payloadType }) => payloadType);
	record.codecPreferences = [codecs[2]!, codecs[0]!, codecs[3]!];
	assert.equal(payloadTypes(), [106, 107, 96, 97]);
	record.codecPreferences = [codecs[1]!];
	assert.equal(payloadTypes(), [102]);
	assert.not.match(peer.offer(), 'ssrc-group');
	record.codecPreferences = [];
	assert.equal(payloadTypes(), [96, 97, 102, 103, 106, 107]);
});

test('several encodings are rids and simulcast, one that is off as well', () => {
	const peer = new Peer('a');
	peer.add('video', 'sendrecv', ['lo', 'hi']).sendEncodings[1]!.active = false;
	assert.match(peer.offer(), 'a=rid:lo send\r\na=rid:hi send\r\na=simulcast:send lo;hi\r\n');
});

test('candidates gathered are in the next offer, once, and gone after a restart', () => {
	const [a, b] = [new Peer('a'), new Peer('b')];
	a.add('audio');
	a.add('video');
	negotiate(a, b);
	const candidates = ['candidate:1 1 udp 2122260223 192.168.0.2 50000 typ host'];
	for (const record of a.transports.values()) Object.assign(record, { candidates, endOfCandidates: true });
	const shown = (sdp: string) =>
		parse(sdp).sections.map((section) => [section.candidates.length, section.endOfCandidates]);
	assert.equal(shown(a.offer()), [
		[1, true],
		[0, false],
	]);
	assert.equal(shown(a.offer({ iceRestart: true })), [
		[0, false],
		[0, false],
	]);
});

test('only sha-256 is offered, since some readers keep the last fingerprint', () => {
	const peer = new Peer('a');
	peer.add('audio');
	assert.equal(parse(peer.offer()).sections[0]!.fingerprints, [{ algorithm: 'sha-256', value: '61:FF' }]);
});

test.run();
