import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
	interpretMedia,
	interpretSctp,
	interpretTransport,
	isAnotherAssociation,
	negotiatedOwners,
	parse,
	type Section,
} from '../../shim/jsep/index.ts';
import { CHROME_OFFER, edit, FIREFOX_OFFER } from './jsepTexts.ts';

const video = parse(CHROME_OFFER).sections[1]!;
const audio = parse(CHROME_OFFER).sections[0]!;
const sender = { cname: 'c', sendEncodings: [{ ssrc: 1, rtxSsrc: 2, active: true }] };
const interpret = (local: Partial<Section>, remote: Partial<Section>, base = video) =>
	interpretMedia({ ...base, ...local }, { ...base, ...remote }, 'remote', sender);

test('a section that either side rejects carries nothing', () => {
	for (const { direction, send, receive } of [interpret({ rejected: true }, {}), interpret({}, { rejected: true })])
		assert.equal([direction, send.active, receive.active], ['inactive', false, false]);
	assert.equal(interpret({}, { rejected: true }).remoteMsids, []);
});

test('streams are announced while they are sent', () => {
	const announced = (direction: Section['direction']) => interpret({}, { direction }).remoteMsids.length;
	assert.equal((['sendrecv', 'sendonly', 'recvonly', 'inactive'] as const).map(announced), [1, 1, 0, 0]);
});

test('reduced-size RTCP wants both sides', () => {
	const reduced = (local: boolean, remote: boolean) =>
		interpret({ rtcpRsize: local }, { rtcpRsize: remote }).send.reducedSize;
	assert.equal([reduced(true, true), reduced(true, false), reduced(false, true)], [true, false, false]);
});

test('without rtx in common nothing is repaired', () => {
	const codecs = video.codecs.filter(({ mimeType }) => mimeType !== 'video/rtx');
	assert.equal(interpret({}, { codecs }).send.encodings, [{ ssrc: 1, active: true }]);
	assert.equal(interpret({}, {}).send.encodings, [{ ssrc: 1, rtxSsrc: 2, active: true }]);
});

test('each side is sent its own payload types, in the order of the answer', () => {
	const mine = {
		...audio,
		codecs: audio.codecs.map((codec) => ({
			...codec,
			payloadType: codec.payloadType === 111 ? 120 : codec.payloadType,
		})),
	};
	const theirs = { ...audio, codecs: [...audio.codecs].reverse() };
	const numbers = (answerer: 'local' | 'remote') => {
		const { send, receive } = interpretMedia(mine, theirs, answerer, sender);
		return [send, receive].map(({ codecs }) =>
			codecs.filter(({ mimeType }) => /opus|PCM/.test(mimeType)).map(({ payloadType }) => payloadType),
		);
	};
	assert.equal(numbers('local'), [
		[111, 0, 8],
		[120, 0, 8],
	]);
	assert.equal(numbers('remote'), [
		[8, 0, 111],
		[8, 0, 120],
	]);
});

test('an extension goes where both sides let it, by the id of who receives it', () => {
	const [a, b, c] = ['urn:a', 'urn:b', 'urn:c'] as const;
	const local = [
		{ id: 1, uri: a },
		{ id: 2, uri: b, direction: 'sendonly' as const },
		{ id: 3, uri: c },
	];
	const remote = [
		{ id: 7, uri: a },
		{ id: 8, uri: b, direction: 'recvonly' as const },
		{ id: 9, uri: 'urn:d' },
	];
	const { send, receive } = interpret({ headerExtensions: local }, { headerExtensions: remote });
	assert.equal(send.headerExtensions, [
		{ uri: a, id: 7 },
		{ uri: b, id: 8 },
	]);
	assert.equal(receive.headerExtensions, [{ uri: a, id: 1 }]);
});

test('repairing SSRCs are told from repaired ones', () => {
	const ssrcs = [1, 2, 3, 4, 5, 6].map((ssrc) => ({ ssrc }));
	const announced = (...groups: [string, ...number[]][]) =>
		interpret({}, { ssrcs, ssrcGroups: groups.map(([semantics, ...members]) => ({ semantics, ssrcs: members })) })
			.receive.encodings;
	assert.equal(announced(['SIM', 1, 2, 3], ['FID', 1, 4], ['FID', 2, 5], ['FEC-FR', 3, 6]), [
		{ ssrc: 1, rtxSsrc: 4 },
		{ ssrc: 2, rtxSsrc: 5 },
		{ ssrc: 3 },
	]);
	assert.equal(announced(['FID', 1], ['FID']).length, 6);
});

test('only layers that both sides declare are layers', () => {
	const layers = (rids: string[], direction: 'send' | 'recv', list: string[]) => ({
		rids: rids.map((rid) => ({ rid, direction })),
		simulcast: { [direction]: list },
	});
	const taken = interpret(
		layers(['a', 'b', 'c'], 'send', ['a', 'b', 'c']),
		layers(['b', 'a', 'd'], 'recv', ['~b,x', 'a', 'd', 'e']),
	);
	assert.equal(taken.sendRids, [
		{ rid: 'b', paused: true },
		{ rid: 'a', paused: false },
	]);
	const given = interpret(layers(['a'], 'recv', ['a']), layers(['a', 'b'], 'send', ['a', 'b']));
	assert.equal(given.receive.rids, ['a']);
	assert.is(given.sendRids, null);
});

test('an association has a port on either side', () => {
	const data = parse(CHROME_OFFER).sections[2]!;
	assert.equal(interpretSctp({ ...data, sctpPort: 5001 }, { ...data, sctpPort: 5002, maxMessageSize: 7 }), {
		port: 5001,
		remotePort: 5002,
		maxMessageSize: 7,
	});
});

test('a transport has no DTLS role before there is an answer, and a role left out is active', () => {
	assert.is(interpretTransport(audio, audio, null).dtls, null);
	assert.is(interpretTransport(audio, null, null).remote, null);
	const silent = { ...audio };
	delete silent.setup;
	assert.is(interpretTransport(audio, silent, 'remote').dtls!.role, 'server');
	assert.is(interpretTransport(silent, audio, 'local').dtls!.role, 'client');
});

test('another association is one of another certificate or another tls-id, not of another role or list of fingerprints', () => {
	const of = (section: Partial<Section>) => interpretTransport(audio, { ...audio, ...section }, 'remote').dtls!;
	const sha = (algorithm: string, value: string) => ({ algorithm, value });
	const [one, two] = [sha('sha-256', 'AA:BB'), sha('sha-256', 'CC:DD')];
	const before = of({ fingerprints: [one], setup: 'active' });
	const isAnother = (section: Partial<Section>, first = before) => isAnotherAssociation(first, of(section));
	assert.is(isAnother({ fingerprints: [one], setup: 'passive' }), false);
	assert.is(isAnother({ fingerprints: [sha('SHA-256', 'aa:bb')] }), false);
	assert.is(isAnother({ fingerprints: [sha('sha-384', 'EE'), one] }), false);
	assert.is(isAnother({ fingerprints: [two] }), true);
	assert.is(isAnother({ fingerprints: [sha('sha-1', 'AA:BB')] }), true);
	const named = of({ fingerprints: [one], attributes: ['tls-id:first'] });
	assert.is(isAnother({ fingerprints: [one], attributes: ['tls-id:first'] }, named), false);
	assert.is(isAnother({ fingerprints: [one], attributes: ['tls-id:second'] }, named), true);
	// Who does not say it does not speak of another.
	assert.is(isAnother({ fingerprints: [one] }, named), false);
});

test('after an answer, its groups share the transport of their first section that is left', () => {
	const offer = parse(CHROME_OFFER);
	const answer = (from: string, to: string) => [...negotiatedOwners(offer, parse(edit(CHROME_OFFER, from, to)))];
	assert.equal(answer('0 1 2', '0 1 2 '), [
		['0', '0'],
		['1', '0'],
		['2', '0'],
	]);
	assert.equal(answer('BUNDLE 0 1 2', 'BUNDLE 1 2'), [
		['0', '0'],
		['1', '1'],
		['2', '1'],
	]);
	assert.equal(answer('m=audio 9', 'm=audio 0'), [
		['1', '1'],
		['2', '1'],
	]);
	assert.ok(
		parse(FIREFOX_OFFER).sections.every(
			({ mid }) => negotiatedOwners(parse(FIREFOX_OFFER), parse(FIREFOX_OFFER)).get(mid) === '0',
		),
	);
});

test.run();
