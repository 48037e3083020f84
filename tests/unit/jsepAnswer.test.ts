import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { getCapabilities, interpretSctp, type Kind, parse, type Section } from '../../shim/jsep/index.ts';
import { negotiate, Peer } from './jsepPeer.ts';
import { CHROME_OFFER, edit, FIREFOX_OFFER } from './jsepTexts.ts';

/** The sections with which a peer answers an offer. */
function answerTo(offer: string, peer = new Peer('a')): Section[] {
	peer.setRemote('offer', offer);
	const answer = peer.answer();
	peer.setLocal('answer', answer);
	return parse(answer).sections;
}

const payloadTypes = ({ codecs }: Section) => codecs.map(({ payloadType }) => payloadType);
const accepted = (sections: Section[]) => sections.filter(({ rejected }) => !rejected).map(({ mid }) => mid);

test("Chrome's offer is answered with its payload types, ids and order, and nothing that we do not code", () => {
	const [audio, video, data] = answerTo(CHROME_OFFER);
	assert.equal(payloadTypes(audio!), [111, 9, 0, 8, 110, 126]);
	assert.equal(payloadTypes(video!), [96, 97, 102, 103, 108, 109]);
	assert.equal(
		audio!.headerExtensions.map(({ id }) => id),
		[1, 2, 3, 4],
	);
	assert.equal(
		video!.headerExtensions.map(({ id }) => id),
		[2, 3, 4, 10, 11],
	);
	assert.equal([audio!.direction, video!.direction], ['recvonly', 'recvonly']);
	assert.ok([audio!, video!, data!].every(({ setup, iceUfrag }) => setup === 'active' && iceUfrag === audio!.iceUfrag));
	assert.equal([data!.sctpPort, data!.maxMessageSize, data!.protocol], [5000, 262144, 'UDP/DTLS/SCTP']);
});

test('feedback is what both sides know', () => {
	const [, video] = answerTo(CHROME_OFFER);
	const feedback = (payloadType: number) =>
		video!.codecs
			.find((codec) => codec.payloadType === payloadType)!
			.rtcpFeedback.map(({ type, parameter = '' }) => `${type} ${parameter}`.trim());
	assert.equal(feedback(96), ['goog-remb', 'transport-cc', 'ccm fir', 'nack', 'nack pli']);
	assert.equal(feedback(102), ['goog-remb', 'nack', 'nack pli']);
	assert.equal(feedback(108), ['nack']);
});

test("Firefox's offer is answered: its numbers, directed extensions turned, bundle-only sections taken", () => {
	const [audio, video, data] = answerTo(FIREFOX_OFFER);
	assert.equal(payloadTypes(audio!), [109, 9, 0, 8, 101]);
	assert.equal(payloadTypes(video!), [120, 124, 126, 127]);
	assert.is(video!.direction, 'inactive');
	assert.is(video!.headerExtensions.find(({ id }) => id === 5)!.direction, 'recvonly');
	assert.equal(
		[audio!, video!, data!].map(({ port, bundleOnly }) => [port, bundleOnly]),
		[
			[9, false],
			[9, false],
			[9, false],
		],
	);
	assert.not.ok(audio!.rtcpRsize);
});

test('the largest message is what the other side says, 64 KiB when it says nothing, no limit when it says 0', () => {
	const data = (offer: string) => interpretSctp(answerTo(offer)[2]!, parse(offer).sections[2]!).maxMessageSize;
	assert.is(data(FIREFOX_OFFER), 1073741823);
	assert.is(data(edit(CHROME_OFFER, 'a=max-message-size:262144\r\n', '')), 65536);
	assert.is(data(edit(CHROME_OFFER, 'max-message-size:262144', 'max-message-size:0')), 0);
});

for (const [what, offer, mids] of [
	['a kind that we do not know', edit(CHROME_OFFER, 'm=audio', 'm=text'), ['1', '2']],
	['RTP without DTLS', edit(CHROME_OFFER, 'm=audio 9 UDP/TLS/RTP/SAVPF', 'm=audio 9 RTP/AVP'), ['1', '2']],
	[
		'a section without a codec of ours',
		edit(CHROME_OFFER, /96 97 98 99 102 103 104 105 108 109 45 46/, '98 99 45 46'),
		['0', '2'],
	],
	['data without a port', edit(CHROME_OFFER, 'a=sctp-port:5000\r\n', ''), ['0', '1']],
	['data over something else', edit(CHROME_OFFER, 'UDP/DTLS/SCTP', 'TCP/MRCP'), ['0', '1']],
	['what the offer closes', edit(CHROME_OFFER, 'm=video 9', 'm=video 0'), ['0', '2']],
] as const)
	test(`${what} is rejected, and out of the group`, () => {
		const peer = new Peer('a');
		const sections = answerTo(offer, peer);
		assert.equal(accepted(sections), [...mids]);
		assert.equal(peer.stable!.local.bundle, [[...mids]]);
		const [closed] = sections.filter(({ rejected }) => rejected);
		assert.equal(
			[closed!.port, closed!.iceUfrag, closed!.codecs.length, closed!.direction],
			[0, undefined, 0, 'inactive'],
		);
	});

test('without BUNDLE, max-bundle takes the first section alone, another policy all', () => {
	const offer = edit(CHROME_OFFER, 'a=group:BUNDLE 0 1 2\r\n', '');
	assert.equal(accepted(answerTo(offer)), ['0']);
	const peer = new Peer('a', 'max-compat');
	assert.equal(accepted(answerTo(offer, peer)), ['0', '1', '2']);
	// Three transports that say the same, so that an offer of ours can bundle them.
	peer.wantsData = true;
	assert.is(new Set(peer.transports.values()).size, 3);
	assert.equal(parse(peer.offer()).bundle, [['0', '1', '2']]);
});

test('when the tag cannot be taken, the next section with a transport of its own is the tag', () => {
	const peer = new Peer('a');
	answerTo(edit(CHROME_OFFER, 'm=audio', 'm=text'), peer);
	assert.is(peer.stable!.local.bundle[0]![0], '1');
	assert.is(peer.transport('1').remote!.usernameFragment, 'wU1l');
	assert.equal(new Set(peer.owners().values()), new Set(['1']));
	// Firefox's others have none.
	assert.equal(accepted(answerTo(edit(FIREFOX_OFFER, 'm=audio', 'm=text'))), []);
});

for (const [offered, role] of [
	['actpass', 'client'],
	['active', 'server'],
	['passive', 'client'],
] as const)
	test(`a=setup:${offered} makes us the ${role}`, () => {
		const peer = new Peer('a');
		answerTo(CHROME_OFFER.replaceAll('a=setup:actpass', `a=setup:${offered}`), peer);
		assert.is(peer.transport('0').dtls!.role, role);
	});

for (const [answered, offerer, answerer] of [
	['active', 'server', 'client'],
	['passive', 'client', 'server'],
] as const)
	test(`an answer edited to a=setup:${answered} makes the offerer ${offerer}, the answerer ${answerer}, and so it stays`, () => {
		const [a, b] = [new Peer('a'), new Peer('b')];
		a.add('audio');
		const offer = a.offer();
		a.setLocal('offer', offer);
		b.setRemote('offer', offer);
		const answer = b.answer().replaceAll(/a=setup:\w+/g, `a=setup:${answered}`);
		b.setLocal('answer', answer);
		a.setRemote('answer', answer);
		assert.equal([a.transport('0').dtls!.role, b.transport('0').dtls!.role], [offerer, answerer]);
		for (const [from, to] of [
			[a, b],
			[b, a],
		] as const) {
			negotiate(from, to);
			assert.equal([a.transport('0').dtls!.role, b.transport('0').dtls!.role], [offerer, answerer]);
		}
	});

test('an offer that is edited to a=setup:active leaves the answerer passive', () => {
	const [a, b] = [new Peer('a'), new Peer('b')];
	a.add('audio');
	const offer = a.offer().replaceAll('a=setup:actpass', 'a=setup:active');
	a.setLocal('offer', offer);
	b.setRemote('offer', offer);
	const answer = b.answer();
	assert.match(answer, 'a=setup:passive');
	b.setLocal('answer', answer);
	a.setRemote('answer', answer);
	assert.equal([a.transport('0').dtls!.role, b.transport('0').dtls!.role], ['client', 'server']);
});

test('a bundled section whose own credentials no longer count does not look like a restart', () => {
	const peer = new Peer('a');
	answerTo(CHROME_OFFER, peer);
	const before = peer.transports.get('1')!.usernameFragment;
	// Chrome now writes the tag's credentials everywhere; then it closes the tag.
	const again = CHROME_OFFER.replaceAll(/a=ice-(ufrag|pwd):.*/g, (_, name) =>
		name === 'ufrag' ? 'a=ice-ufrag:xOnA' : 'a=ice-pwd:4IOGIjvR8wMvGzbCQM0vO1Kc',
	);
	const closed = edit(edit(again, 'm=audio 9', 'm=audio 0'), 'BUNDLE 0 1 2', 'BUNDLE 1 2');
	answerTo(closed, peer);
	assert.is(peer.transports.get('1')!.usernameFragment, before);
});

test('new credentials from the other side restart ours, on that transport alone', () => {
	const peer = new Peer('a', 'max-compat');
	const unbundled = edit(CHROME_OFFER, 'a=group:BUNDLE 0 1 2\r\n', '');
	answerTo(unbundled, peer);
	const before = new Map([...peer.transports].map(([mid, { usernameFragment }]) => [mid, usernameFragment]));
	answerTo(edit(unbundled, 'a=ice-ufrag:wU1l', 'a=ice-ufrag:newU'), peer);
	const changed = [...peer.transports].filter(([mid, { usernameFragment }]) => before.get(mid) !== usernameFragment);
	assert.equal(
		changed.map(([mid]) => mid),
		['1'],
	);
});

test('what is offered to us finds the transceiver that addTrack made, in order, and else a new one', () => {
	const peer = new Peer('a');
	peer.add('audio');
	const audio = peer.addTrack('audio');
	const [first, second] = [peer.addTrack('video'), peer.addTrack('video')];
	const [answered] = answerTo(CHROME_OFFER, peer);
	assert.equal([audio.mid, first.mid, second.mid, peer.transceivers[0]!.mid], ['0', '1', null, null]);
	assert.is(answered!.direction, 'sendrecv');
	assert.is(answered!.msids[0]!.track, audio.trackId);
});

test('a section that only sends does not take the transceiver of addTrack', () => {
	const peer = new Peer('a');
	const video = peer.addTrack('video');
	answerTo(edit(CHROME_OFFER, /a=sendrecv(?![\s\S]*a=sendrecv)/, 'a=sendonly'), peer);
	assert.is(video.mid, null);
	assert.is(peer.transceivers.find(({ mid }) => mid === '1')!.direction, 'recvonly');
});

test('our codec preferences reorder the answer and reduce it', () => {
	const peer = new Peer('a');
	const { codecs } = getCapabilities('video')!;
	peer.addTrack('video').codecPreferences = [codecs[2]!, codecs[0]!];
	const [, video] = answerTo(CHROME_OFFER, peer);
	assert.equal(payloadTypes(video!), [108, 96]);
	assert.equal(
		peer.media(peer.transceivers.find(({ mid }) => mid === '1')!).send.codecs.map(({ payloadType }) => payloadType),
		[108, 96],
	);
});

test('what an offer says of its streams is read: ids, SSRCs, rtx, cname', () => {
	const peer = new Peer('a');
	answerTo(CHROME_OFFER, peer);
	const media = (kind: Kind) => peer.media(peer.transceivers.find((record) => record.kind === kind)!);
	assert.equal(media('video').receive.encodings, [{ ssrc: 2231627014, rtxSsrc: 632943048 }]);
	assert.equal(media('audio').receive.encodings, [{ ssrc: 3570614608 }]);
	assert.equal(media('audio').remoteMsids, [
		{ stream: '8a1d7bd0-6f62-4c39-9a29-0b0d3b1c8f11', track: 'c58c9e7b-6a2c-4b0b-a3f2-7a1b3e2b6c10' },
	]);
	assert.equal(media('audio').receive.codecs[0], {
		mimeType: 'audio/opus',
		payloadType: 111,
		clockRate: 48000,
		channels: 2,
		parameters: { minptime: '10', useinbandfec: '1' },
		rtcpFeedback: [{ type: 'transport-cc' }],
	});
});

test('the format we send by is the one that the other side asks for', () => {
	const peer = new Peer('a');
	const audio = peer.addTrack('audio');
	answerTo(FIREFOX_OFFER, peer);
	const { send, receive } = peer.media(audio);
	assert.equal(send.codecs[0]!.parameters, { maxplaybackrate: '48000', stereo: '1', useinbandfec: '1' });
	assert.equal(receive.codecs[0]!.parameters, { minptime: '10', useinbandfec: '1' });
});

test('the section of a transceiver that is stopped is rejected, of one that is stopping inactive', () => {
	const peer = new Peer('a');
	peer.setRemote('offer', CHROME_OFFER);
	const audio = peer.transceivers.find(({ kind }) => kind === 'audio')!;
	Object.assign(audio, { stopping: true, direction: 'inactive' });
	const answered = parse(peer.answer()).sections;
	assert.equal(accepted(answered), ['0', '1', '2']);
	assert.is(answered[0]!.direction, 'inactive');
	audio.stopped = true;
	assert.equal(accepted(parse(peer.answer()).sections), ['1', '2']);
});

test('two sections of one kind take two transceivers', () => {
	const video = CHROME_OFFER.slice(CHROME_OFFER.indexOf('m=video'), CHROME_OFFER.indexOf('m=application'));
	const peer = new Peer('a');
	const [first, second] = [peer.addTrack('video'), peer.addTrack('video')];
	answerTo(
		edit(
			`${CHROME_OFFER}${edit(edit(video, 'a=mid:1', 'a=mid:3'), /a=msid:.*/, 'a=msid:- other')}`,
			'0 1 2',
			'0 1 2 3',
		),
		peer,
	);
	assert.equal([first.mid, second.mid], ['1', '3']);
});

test('of two groups max-bundle accepts the first section’s, another policy both', () => {
	const offer = edit(CHROME_OFFER, 'a=group:BUNDLE 0 1 2', 'a=group:BUNDLE 1\r\na=group:BUNDLE 0 2');
	const peer = new Peer('a');
	assert.equal(accepted(answerTo(offer, peer)), ['0', '2']);
	assert.equal(peer.stable!.local.bundle, [['0', '2']]);
	const other = new Peer('b', 'balanced');
	assert.equal(accepted(answerTo(offer, other)), ['0', '1', '2']);
	assert.equal(other.stable!.local.bundle, [['1'], ['0', '2']]);
});

test('an answer shows no candidates before there are some, then in the section of the tag', () => {
	const peer = new Peer('a');
	const shown = (sections: Section[]) =>
		sections.map((section) => [section.candidates.length, section.endOfCandidates]);
	assert.equal(shown(answerTo(CHROME_OFFER, peer)), [
		[0, false],
		[0, false],
		[0, false],
	]);
	const candidates = ['candidate:1 1 udp 2122260223 192.168.0.2 50000 typ host'];
	for (const [mid, record] of peer.transports)
		peer.transports.set(mid, { ...record, candidates, endOfCandidates: true });
	assert.equal(shown(answerTo(CHROME_OFFER, peer)), [
		[1, true],
		[0, false],
		[0, false],
	]);
});

test('rtx is answered without feedback, whatever it was offered with', () => {
	const [, video] = answerTo(edit(CHROME_OFFER, 'a=fmtp:97 apt=96', 'a=rtcp-fb:97 nack\r\na=fmtp:97 apt=96'));
	assert.equal(video!.codecs.find(({ payloadType }) => payloadType === 97)!.rtcpFeedback, []);
});

const SIMULCAST = 'a=rid:hi send\r\na=rid:lo send\r\na=simulcast:send hi;~lo\r\n';
test('simulcast that is sent to us is accepted layer by layer', () => {
	const peer = new Peer('a');
	const offer = edit(CHROME_OFFER, 'a=ssrc-group:FID', `${SIMULCAST}a=ssrc-group:FID`);
	const [, video] = answerTo(offer, peer);
	assert.equal(video!.rids, [
		{ rid: 'hi', direction: 'recv' },
		{ rid: 'lo', direction: 'recv' },
	]);
	assert.equal(video!.simulcast, { recv: ['hi', '~lo'] });
	const { receive, receiveRids } = peer.media(peer.transceivers.find(({ kind }) => kind === 'video')!);
	assert.equal(receive.rids, ['hi', 'lo']);
	assert.equal(receiveRids, [
		{ rid: 'hi', paused: false },
		{ rid: 'lo', paused: true },
	]);
});

test('simulcast that is asked of us is sent in the layers that we have', () => {
	const peer = new Peer('a');
	const video = peer.addTrack('video');
	video.sendEncodings = ['hi', 'lo', 'mine'].map((rid, i) => ({ ssrc: i + 1, rtxSsrc: i + 10, rid, active: true }));
	const [, section] = answerTo(
		edit(CHROME_OFFER, 'a=ssrc-group:FID', `${SIMULCAST.replaceAll('send', 'recv')}a=ssrc-group:FID`),
		peer,
	);
	assert.equal(section!.simulcast, { send: ['hi', 'lo'] });
	assert.equal(peer.media(video).send.encodings, [
		{ ssrc: 1, rtxSsrc: 10, rid: 'hi', active: true },
		{ ssrc: 2, rtxSsrc: 11, rid: 'lo', active: false },
	]);
});

test('simulcast that is not answered leaves the first encoding, without rid', () => {
	const [a, b] = [new Peer('a'), new Peer('b')];
	const video = a.add('video', 'sendonly', ['lo', 'hi']);
	const offer = a.offer();
	a.setLocal('offer', offer);
	b.setRemote('offer', offer);
	const answer = b.answer().replaceAll(/a=(rid|simulcast):.*\r\n/g, '');
	a.setRemote('answer', answer);
	const { ssrc, rtxSsrc } = video.sendEncodings[0]!;
	assert.equal(a.media(video).send.encodings, [{ ssrc, rtxSsrc, active: true }]);
	assert.is(a.media(video).sendRids, null);
});

test('an offer without mids is answered with mids of ours', () => {
	const sections = answerTo(CHROME_OFFER.replaceAll(/a=(mid|group):?.*\r\n/g, ''), new Peer('a', 'max-compat'));
	assert.equal(
		sections.map(({ mid, rejected }) => [mid, rejected]),
		[
			['0', false],
			['1', false],
			['2', false],
		],
	);
});

test.run();
