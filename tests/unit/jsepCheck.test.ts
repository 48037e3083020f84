import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Problem, parse } from '../../shim/jsep/index.ts';
import { negotiate, Peer, Refused } from './jsepPeer.ts';
import { CHROME_OFFER, edit, FIREFOX_OFFER } from './jsepTexts.ts';

/** What an action is refused with; null when it is not. */
function problemOf(action: () => void): Problem | null {
	try {
		action();
		return null;
	} catch (error) {
		if (error instanceof Refused) return error.problem;
		throw error;
	}
}

/** A peer that offers audio, video and data. */
function offering(): Peer {
	const peer = new Peer('a');
	peer.add('audio');
	peer.add('video');
	peer.wantsData = true;
	return peer;
}

for (const [what, from, to] of [
	['opus made stereo', 'useinbandfec=1', 'useinbandfec=1;stereo=1'],
	['a larger message', 'max-message-size:262144', 'max-message-size:1000000'],
	['a codec removed', 'SAVPF 111 9 0 8 110 126', 'SAVPF 111'],
	['codecs reordered', 'SAVPF 111 9 0 8 110 126', 'SAVPF 0 8 9 111'],
	['a payload type changed', /\b111\b/g, '121'],
	['a bandwidth', 'c=IN IP4 0.0.0.0', 'c=IN IP4 0.0.0.0\r\nb=AS:100'],
	['a direction', 'a=sendrecv', 'a=recvonly'],
	['an extension dropped', /a=extmap:1 .*\r\n/, ''],
	['a DTLS role', /a=setup:actpass/g, 'a=setup:active'],
	['an attribute that nobody knows', 'a=rtcp-mux', 'a=x-google-flag:conference\r\na=rtcp-mux'],
	['candidates', 'a=ice-ufrag', 'a=candidate:1 1 udp 1 10.0.0.1 9 typ host\r\na=ice-ufrag'],
	['a fingerprint in lower case', /61:FF/g, '61:ff'],
] as const)
	test(`a local offer may be edited: ${what}`, () => {
		const peer = offering();
		const offer = edit(peer.offer(), from, to);
		assert.is(
			problemOf(() => peer.setLocal('offer', offer)),
			null,
		);
	});

for (const [what, from, to] of [
	['the ICE ufrag', 'a=ice-ufrag:', 'a=ice-ufrag:X'],
	['the ICE password', 'a=ice-pwd:', 'a=ice-pwd:X'],
	['the fingerprint', '61:FF', '62:FF'],
	['a mid', 'a=mid:1', 'a=mid:9'],
	['a kind', 'm=video', 'm=audio'],
	['a section closed', 'm=video 9', 'm=video 0'],
	['a section less', /m=application[\s\S]*/, ''],
	['a codec that was not there', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:0 L16/8000'],
	['no codec left that carries media', 'SAVPF 111 9 0 8', 'SAVPF 77'],
	['no codec left', 'SAVPF 111 9 0 8 110 126', 'SAVPF 77'],
	['an SSRC that is not ours', /a=ssrc:\d+ cname/, 'a=ssrc:5 cname'],
	['an extension that was not there', 'urn:ietf:params:rtp-hdrext:sdes:mid', 'urn:x'],
	['no rtcp-mux', 'a=rtcp-mux\r\n', ''],
	['no a=setup', 'a=setup:actpass\r\n', ''],
	['the SCTP port', 'sctp-port:5000', 'sctp-port:5001'],
	['a section out of the group whose transport it shares', 'BUNDLE 0 1 2', 'BUNDLE 0 2'],
] as const)
	test(`a local offer may not be edited: ${what}`, () => {
		const peer = offering();
		const offer = edit(peer.offer(), from, to);
		assert.is(problemOf(() => peer.setLocal('offer', offer))?.name, 'InvalidModificationError');
	});

test('a local description that was never created is refused', () => {
	assert.is(problemOf(() => new Peer('a').setLocal('offer', CHROME_OFFER))?.name, 'InvalidModificationError');
});

test('with a transport of its own, a section may leave the group', () => {
	const peer = new Peer('a', 'max-compat');
	peer.add('audio');
	peer.add('video');
	const offer = edit(peer.offer(), 'BUNDLE 0 1', 'BUNDLE 0');
	assert.is(
		problemOf(() => peer.setLocal('offer', offer)),
		null,
	);
});

test('a local answer must choose its DTLS role', () => {
	const peer = new Peer('a');
	peer.setRemote('offer', CHROME_OFFER);
	const answer = peer.answer().replaceAll('a=setup:active', 'a=setup:actpass');
	assert.is(problemOf(() => peer.setLocal('answer', answer))?.name, 'InvalidAccessError');
});

for (const [what, from, to, message] of [
	['no ufrag', 'a=ice-ufrag:xOnA\r\n', '', /section 0 \(mid 0\): a=ice-ufrag/],
	['a ufrag of three', 'a=ice-ufrag:xOnA', 'a=ice-ufrag:xOn', /ice-ufrag/],
	['no password', /a=ice-pwd:.*\r\n/, '', /ice-pwd/],
	['a short password', /a=ice-pwd:.*/, 'a=ice-pwd:short', /ice-pwd/],
	['no fingerprint', /a=fingerprint:.*\r\n/g, '', /fingerprint/],
	['holdconn', 'a=setup:actpass', 'a=setup:holdconn', /holdconn/],
	['no rtcp-mux', 'a=rtcp-mux\r\n', '', /rtcp-mux/],
	['one mid twice', 'a=mid:1', 'a=mid:0', /one mid/],
	['a group of an unknown mid', 'BUNDLE 0 1 2', 'BUNDLE 0 1 7', /mid 7/],
	['a mid in two groups', 'a=group:BUNDLE 0 1 2', 'a=group:BUNDLE 0 1\r\na=group:BUNDLE 1 2', /mid 1 twice/],
	['a payload type of two codecs', 'a=rtpmap:8 PCMA', 'a=rtpmap:96 PCMA', null],
	['an id of two extensions', 'a=extmap:14 ', 'a=extmap:1 ', /header extension 1/],
	['no rtcp-mux where another section of the bundle has it', /(m=video[\s\S]*?)a=rtcp-mux\r\n/, '$1', null],
	['a rid twice', 'a=ssrc-group', 'a=rid:a send\r\na=rid:a send\r\na=ssrc-group', null],
	['a simulcast of one rid twice', 'a=ssrc-group', 'a=rid:a send\r\na=simulcast:send a;a\r\na=ssrc-group', null],
	['an H.264 profile that is none', 'a=fmtp:102 ', 'a=fmtp:102 profile-level-id=42e0a;', null],
] as const)
	test(`a remote offer with ${what} is ${message ? 'refused' : 'taken'}`, () => {
		const problem = problemOf(() => new Peer('a').setRemote('offer', edit(CHROME_OFFER, from, to)));
		assert.is(problem?.name, message ? 'InvalidAccessError' : undefined);
		if (message) assert.match(problem!.message, message);
	});

test('a payload type that is two codecs in one group is refused', () => {
	const offer = edit(edit(CHROME_OFFER, 'a=rtpmap:8 PCMA', 'a=rtpmap:96 PCMA'), '111 63 9 0 8', '111 63 9 0 96');
	assert.match(
		problemOf(() => new Peer('a').setRemote('offer', offer))!.message,
		/payload type 96 is both audio\/PCMA and video\/VP8/,
	);
});

test('bundled sections may leave their transport to the tag', () => {
	const peer = new Peer('a');
	peer.setRemote('offer', FIREFOX_OFFER);
	assert.is(peer.pending!.offer.sections[1]!.iceUfrag, '58b99ead');
	assert.is(parse(FIREFOX_OFFER).sections[1]!.iceUfrag, undefined);
});

test('bundled sections have the role of the tag', () => {
	const peer = new Peer('a');
	peer.setRemote('offer', edit(FIREFOX_OFFER, 'a=setup:actpass', 'a=setup:active'));
	assert.equal(
		peer.pending!.offer.sections.map(({ setup }) => setup),
		['active', 'active', 'active'],
	);
});

test('one section without a mid is given one that is free', () => {
	const peer = new Peer('a', 'balanced');
	peer.setRemote('offer', edit(edit(CHROME_OFFER, 'a=mid:0\r\n', ''), 'BUNDLE 0 1 2', 'BUNDLE 1 2'));
	assert.equal(
		peer.pending!.offer.sections.map(({ mid }) => mid),
		['3', '1', '2'],
	);
});

test('a bundle-only section without a group is refused', () => {
	const offer = edit(FIREFOX_OFFER, 'BUNDLE 0 1 2', 'BUNDLE 0 2');
	assert.is(problemOf(() => new Peer('a').setRemote('offer', offer))?.name, 'InvalidAccessError');
});

/** A peer with an offer out, and what another answers to it. */
function answered(): { peer: Peer; answer: string } {
	const peer = offering();
	const other = new Peer('b');
	const offer = peer.offer();
	peer.setLocal('offer', offer);
	other.setRemote('offer', offer);
	return { peer, answer: other.answer() };
}

for (const [what, from, to] of [
	['a section less', /m=application[\s\S]*/, ''],
	['a section more', /$/, 'm=audio 0 UDP/TLS/RTP/SAVPF 0\r\na=mid:8\r\n'],
	['another mid', 'a=mid:1', 'a=mid:8'],
	['another kind', 'm=video', 'm=audio'],
	['another protocol', 'm=audio 9 UDP/TLS/RTP/SAVPF', 'm=audio 9 UDP/TLS/WHATEVER'],
	['a role that is not chosen', 'a=setup:active', 'a=setup:actpass'],
	['no rtcp-mux', 'a=rtcp-mux\r\n', ''],
	['no ufrag anywhere', /a=ice-ufrag:.*\r\n/g, ''],
] as const)
	test(`a remote answer with ${what} is refused`, () => {
		const { peer, answer } = answered();
		assert.is(problemOf(() => peer.setRemote('answer', edit(answer, from, to)))?.name, 'InvalidAccessError');
		// And nothing is lost by it.
		assert.is(
			problemOf(() => peer.setRemote('answer', answer)),
			null,
		);
	});

test('a remote answer may not accept what the offer closed', () => {
	const [a, b] = [new Peer('a'), new Peer('b')];
	const record = a.add('audio');
	a.add('video');
	const { answer } = negotiate(a, b);
	record.stopping = true;
	a.setLocal('offer', a.offer());
	assert.match(problemOf(() => a.setRemote('answer', answer))!.message, /section 0 accepts what the offer rejects/);
});

test('a remote answer may not bundle what the offer does not', () => {
	const peer = new Peer('a', 'max-compat');
	peer.add('audio');
	peer.add('video');
	const other = new Peer('b');
	const offer = edit(peer.offer(), 'BUNDLE 0 1', 'BUNDLE 0');
	peer.setLocal('offer', offer);
	other.setRemote('offer', edit(offer, 'BUNDLE 0', 'BUNDLE 0 1'));
	assert.match(problemOf(() => peer.setRemote('answer', other.answer()))!.message, /mid 1/);
});

test('max-bundle: a remote answer may not part what was offered over one transport', () => {
	const { peer, answer } = answered();
	for (const bundle of ['', 'a=group:BUNDLE 0 1\r\n'])
		assert.match(
			problemOf(() => peer.setRemote('answer', edit(answer, 'a=group:BUNDLE 0 1 2\r\n', bundle)))!.message,
			/transport of its own/,
		);
	// Sections that it rejects are nobody's.
	const alone = edit(
		edit(edit(answer, 'BUNDLE 0 1 2', 'BUNDLE 0'), 'm=video 9', 'm=video 0'),
		'm=application 9',
		'm=application 0',
	);
	assert.is(
		problemOf(() => peer.setRemote('answer', alone)),
		null,
	);
});

test('an answer without mids means those of the offer', () => {
	const { peer, answer } = answered();
	const bare = answer.replaceAll(/a=mid:.*\r\n/g, '');
	assert.is(
		problemOf(() => peer.setRemote('answer', bare)),
		null,
	);
	assert.equal(
		peer.stable!.remote.sections.map(({ mid }) => mid),
		['0', '1', '2'],
	);
});

for (const [what, from, to] of [
	['a section less', /m=application[\s\S]*/, ''],
	['another mid for a section in use', /\b1 2\r\n([\s\S]*)a=mid:1/, '8 2\r\n$1a=mid:8'],
	['another kind in a section in use', 'm=audio', 'm=video'],
] as const)
	test(`a later remote offer with ${what} is refused`, () => {
		const peer = new Peer('a');
		peer.setRemote('offer', CHROME_OFFER);
		peer.setLocal('answer', peer.answer());
		assert.is(problemOf(() => peer.setRemote('offer', edit(CHROME_OFFER, from, to)))?.name, 'InvalidAccessError');
	});

test('one track in two sections is refused', () => {
	const [, , video] = CHROME_OFFER.split('m=');
	const twice = `${CHROME_OFFER}m=${edit(video!, 'a=mid:1', 'a=mid:3')}`;
	assert.is(problemOf(() => new Peer('a').setRemote('offer', twice))?.name, 'OperationError');
});

test('an answer gives no id to another header extension', () => {
	const [a, b] = [new Peer('a'), new Peer('b')];
	a.add('audio', 'sendrecv');
	const offer = a.offer();
	a.setLocal('offer', offer);
	b.setRemote('offer', offer);
	const answer = edit(b.answer(), 'a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level', 'a=extmap:1 urn:other');
	assert.is(problemOf(() => a.setRemote('answer', answer))?.name, 'InvalidAccessError');
});

test('an id of a header extension that we did not take may be another in the next offer', () => {
	const [a, b] = [new Peer('a'), new Peer('b')];
	a.add('audio', 'sendrecv');
	const offer = a.offer();
	const strange = edit(offer, /rtp-hdrext:ssrc-audio-level/, 'rtp-hdrext:strange');
	b.setRemote('offer', strange);
	b.setLocal('answer', b.answer());
	assert.is(
		problemOf(() => b.setRemote('offer', offer)),
		null,
	);
});

test('an id of a header extension that the peer did not take may be another in its next offer', () => {
	const [a, b] = [new Peer('a'), new Peer('b')];
	a.add('audio', 'sendrecv');
	const offer = a.offer();
	a.setLocal('offer', offer);
	b.setRemote('offer', offer);
	const answer = b.answer();
	b.setLocal('answer', answer);
	a.setRemote('answer', edit(answer, /a=extmap:\d+ \S+ssrc-audio-level\r\n/, ''));
	const next = edit(b.offer(), /rtp-hdrext:ssrc-audio-level/, 'rtp-hdrext:strange');
	assert.is(
		problemOf(() => a.setRemote('offer', next)),
		null,
	);
});

test('a later remote offer may take a closed section for another kind and mid', () => {
	const peer = new Peer('a');
	peer.setRemote('offer', edit(edit(CHROME_OFFER, 'm=video 9', 'm=video 0'), 'BUNDLE 0 1 2', 'BUNDLE 0 2'));
	peer.setLocal('answer', peer.answer());
	const [, audio] = CHROME_OFFER.split('m=');
	const again = CHROME_OFFER.replace(
		/m=video[\s\S]*?(?=m=application)/,
		`m=${audio!.replace('a=mid:0', 'a=mid:7').replace(/a=msid:.*/, 'a=msid:- other')}`,
	).replace('0 1 2', '0 7 2');
	assert.is(
		problemOf(() => peer.setRemote('offer', again)),
		null,
	);
	peer.setLocal('answer', peer.answer());
	assert.equal(
		peer.stable!.local.sections.map(({ kind, mid, rejected }) => [kind, mid, rejected]),
		[
			['audio', '0', false],
			['audio', '7', false],
			['application', '2', false],
		],
	);
});

test.run();
