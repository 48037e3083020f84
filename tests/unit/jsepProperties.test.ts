import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
	type BundlePolicy,
	type Direction,
	getCapabilities,
	type Kind,
	parse,
	reverseDirection,
	write,
} from '../../shim/jsep/index.ts';
import { assertEqualInGroups } from './jsepGroups.ts';
import { negotiate, Peer } from './jsepPeer.ts';

const seed = Number(process.env.JSEP_SEED ?? Date.now() % 2 ** 31);
console.log(`seed ${seed} (JSEP_SEED repeats it)`);
const parameters = {
	seed,
	numRuns: Number(process.env.JSEP_RUNS ?? 150),
	endOnFailure: false,
	includeErrorInReport: true,
};

type Operation =
	| { do: 'add'; kind: Kind; direction: Direction; simulcast: boolean }
	| { do: 'addTrack'; kind: Kind }
	| { do: 'stop'; which: number }
	| { do: 'direction'; which: number; direction: Direction }
	| { do: 'prefer'; which: number; from: number }
	| { do: 'channel' }
	| { do: 'negotiate'; iceRestart: boolean };

const kind = fc.constantFrom<Kind>('audio', 'video');
const direction = fc.constantFrom<Direction>('sendrecv', 'sendonly', 'recvonly', 'inactive');
const which = fc.nat(9);
const operation: fc.Arbitrary<Operation> = fc.oneof(
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('add' as const), kind, direction, simulcast: fc.boolean() }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('addTrack' as const), kind }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const), which }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('direction' as const), which, direction }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('prefer' as const), which, from: fc.nat(3) }) },
	{ weight: 1, arbitrary: fc.record({ do: fc.constant('channel' as const) }) },
	// Often, so that most of what happens is renegotiated.
	{ weight: 3, arbitrary: fc.record({ do: fc.constant('negotiate' as const), iceRestart: fc.boolean() }) },
);
const steps = fc.array(fc.record({ by: fc.constantFrom(0, 1), operation }), { maxLength: 30 });
const policy = fc.constantFrom('max-bundle', 'balanced', 'max-compat');

function apply(peer: Peer, step: Operation): void {
	const record = 'which' in step ? peer.transceivers[step.which % Math.max(1, peer.transceivers.length)] : undefined;
	switch (step.do) {
		case 'add':
			peer.add(step.kind, step.direction, step.simulcast && step.kind === 'video' ? ['lo', 'hi'] : []);
			return;
		case 'addTrack':
			peer.addTrack(step.kind);
			return;
		case 'channel':
			peer.wantsData = true;
			return;
		case 'stop':
			if (record) record.stopping = true;
			return;
		case 'direction':
			if (record) record.direction = step.direction;
			return;
		case 'prefer': {
			if (!record) return;
			const { codecs } = getCapabilities(record.kind)!;
			// Rotated: the sections' own first codec may come last.
			record.codecPreferences = [...codecs.slice(step.from), ...codecs.slice(0, step.from)];
		}
	}
}

/**
 * What must hold between two connections after an answer.
 * @param read what `b` reads of the offer of `a`
 */
function assertAgreement(a: Peer, b: Peer, read: (sdp: string) => string = (sdp) => sdp): void {
	const outline = (peer: Peer, side: 'local' | 'remote') =>
		peer.stable![side].sections.map(({ kind, mid, rejected }) => ({ kind, mid, rejected }));
	for (const peer of [a, b])
		assert.equal(
			outline(peer, 'local').map(({ mid }) => mid),
			outline(a, 'local').map(({ mid }) => mid),
		);
	assert.equal(read(write(a.stable!.local)), write(b.stable!.remote));
	assert.equal(write(b.stable!.local), write(a.stable!.remote));
	assert.equal(a.owners(), b.owners());
	for (const owner of new Set(a.owners().values())) {
		const ours = a.transport(owner);
		const theirs = b.transport(owner);
		assert.equal(new Set([ours.dtls!.role, theirs.dtls!.role]), new Set(['client', 'server']));
		assert.equal(ours.local, { usernameFragment: theirs.remote!.usernameFragment, password: theirs.remote!.password });
		assert.is(a.transports.get(owner)!.dtlsRole, ours.dtls!.role);
	}
	for (const ours of a.transceivers) {
		const theirs = b.transceivers.find(({ mid }) => mid !== null && mid === ours.mid);
		assert.ok(ours.mid === null || theirs, `nobody has mid ${ours.mid}`);
		if (theirs) assertMediaAgreement(a.media(ours), b.media(theirs));
	}
}

function assertMediaAgreement(ours: ReturnType<Peer['media']>, theirs: ReturnType<Peer['media']>): void {
	assert.is(ours.direction, reverseDirection(theirs.direction));
	for (const [from, to] of [
		[ours, theirs],
		[theirs, ours],
	] as const) {
		assert.equal(from.send.codecs, to.receive.codecs);
		assert.ok(from.send.codecs.length > 0);
		assert.equal(from.send.headerExtensions, to.receive.headerExtensions);
		assert.is(from.send.active, to.receive.active);
		if (!from.send.active) continue;
		const encodings = from.send.encodings;
		if (from.sendRids)
			assert.equal(
				to.receive.rids,
				encodings.map(({ rid }) => rid),
			);
		else
			assert.equal(
				to.receive.encodings,
				encodings.map(({ active: _, ...announced }) => announced),
			);
	}
}

/** An offer as who knows no BUNDLE reads it: what has no transport of its own is closed. */
const unbundled = (sdp: string): string => sdp.replace(/a=group:BUNDLE.*\r\n/, '').replaceAll('a=bundle-only\r\n', '');

test('whatever two connections do, each negotiation ends in sections that agree', () => {
	fc.assert(
		fc.property(policy, policy, steps, (policyA, policyB, script) => {
			const peers = [new Peer('a', policyA), new Peer('b', policyB)] as const;
			const history = new Map<string, number>();
			for (const { by, operation } of [
				...script,
				{ by: 0, operation: { do: 'negotiate', iceRestart: false } as const },
			]) {
				if (operation.do !== 'negotiate') {
					apply(peers[by === 0 ? 0 : 1], operation);
					continue;
				}
				const [offerer, answerer] = by === 0 ? peers : [peers[1], peers[0]];
				const { offer, answer } = negotiate(offerer, answerer, { iceRestart: operation.iceRestart });
				for (const text of [offer, answer]) assert.is(write(parse(text)), text);
				assertEqualInGroups(parse(offer));
				assertAgreement(offerer, answerer);
				assertAgreement(answerer, offerer);
				// A mid names one place for good.
				parse(offer).sections.forEach(({ mid }, index) => {
					assert.is(history.get(mid) ?? index, index);
					history.set(mid, index);
				});
			}
		}),
		parameters,
	);
});

test('an ICE restart changes the credentials of every transport, and nothing else does', () => {
	fc.assert(
		fc.property(
			policy,
			fc.array(fc.tuple(kind, direction), { minLength: 1, maxLength: 4 }),
			fc.boolean(),
			(bundle, media, restart) => {
				const [a, b] = [new Peer('a', bundle), new Peer('b', bundle)];
				for (const [kind, direction] of media) a.add(kind, direction);
				negotiate(a, b);
				const before = new Map([...a.transports].map(([mid, { usernameFragment }]) => [mid, usernameFragment]));
				const theirs = new Map([...b.transports].map(([mid, { usernameFragment }]) => [mid, usernameFragment]));
				negotiate(a, b, { iceRestart: restart });
				for (const [mid, { usernameFragment }] of a.transports)
					assert.is(usernameFragment !== before.get(mid), restart);
				for (const [mid, { usernameFragment }] of b.transports)
					assert.is(usernameFragment !== theirs.get(mid), restart);
			},
		),
		parameters,
	);
});

test('in every offer, sections of a BUNDLE group have equal credentials and fingerprints, also if the peer bundles late', () => {
	const round = fc.record({ by: fc.constantFrom(0, 1), iceRestart: fc.boolean(), kind, data: fc.boolean() });
	fc.assert(
		fc.property(
			fc.constantFrom<BundlePolicy>('balanced', 'max-compat'),
			fc.nat(4),
			fc.array(round, { maxLength: 8 }),
			(policy, late, rounds) => {
				const peers = [new Peer('a', policy), new Peer('b', policy)] as const;
				for (const [index, { by, iceRestart, kind, data }] of rounds.entries()) {
					const [offerer, answerer] = by === 0 ? peers : [peers[1], peers[0]];
					offerer.add(kind);
					if (data) offerer.wantsData = true;
					const offer = offerer.offer({ iceRestart });
					assertEqualInGroups(parse(offer));
					offerer.setLocal('offer', offer);
					answerer.setRemote('offer', index < late ? unbundled(offer) : offer);
					const answer = answerer.answer();
					answerer.setLocal('answer', answer);
					offerer.setRemote('answer', answer);
					assertAgreement(offerer, answerer, index < late ? unbundled : (sdp) => sdp);
				}
			},
		),
		parameters,
	);
});

test('text that is not SDP is refused with the line where it stops being SDP', () => {
	const peer = new Peer('a');
	peer.add('audio');
	peer.add('video', 'sendrecv', ['lo', 'hi']);
	peer.wantsData = true;
	const lines = peer.offer().split('\r\n');
	fc.assert(
		fc.property(fc.nat(lines.length - 2), fc.string({ unit: 'binary-ascii', maxLength: 40 }), (at, junk) => {
			const broken = [...lines.slice(0, at), `!${junk.replaceAll(/[\r\n]/g, '')}`, ...lines.slice(at)].join('\r\n');
			try {
				parse(broken);
				assert.unreachable();
			} catch (error) {
				assert.is((error as { line?: number }).line, at + 1);
			}
		}),
		parameters,
	);
});

test('any text either parses or is refused with a line of it', () => {
	const line = fc.oneof(
		fc.constantFrom(
			'v=0',
			'o=- 1 1 IN IP4 0.0.0.0',
			's=-',
			't=0 0',
			'm=audio 9 UDP/TLS/RTP/SAVPF 0',
			'a=mid:0',
			'c=IN IP4 1.1.1.1',
		),
		fc.string({ maxLength: 30 }).map((text) => `a=${text}`),
		fc.string({ maxLength: 10 }),
	);
	fc.assert(
		fc.property(fc.array(line, { maxLength: 12 }), (texts) => {
			const text = texts.join('\r\n');
			try {
				const description = parse(text);
				assert.equal(parse(write(description)).sections.length, description.sections.length);
			} catch (error) {
				assert.is((error as Error).name, 'SdpError', String(error));
				const { line: number } = error as { line: number };
				assert.ok(number >= 1 && number <= text.split('\n').length + 1);
			}
		}),
		{ ...parameters, numRuns: parameters.numRuns * 5 },
	);
});

test.run();
