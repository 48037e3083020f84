/** What a peer may say that makes no sense: refused with the specification's errors, and nothing has changed. */
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RTCPeerConnection, RTCSessionDescription } from '../../../shim/api/index.ts';
import { parse, write } from '../../../shim/jsep/index.ts';
import { Negotiator } from './Negotiator.ts';

const seed = Number(process.env.JSEP_SEED ?? Date.now() % 2 ** 31);
console.log(`seed ${seed} (JSEP_SEED repeats it)`);
const runs = Number(process.env.JSEP_RUNS ?? 100);
const parameters = { seed, numRuns: runs, endOnFailure: false, includeErrorInReport: true };

/** Of setRemoteDescription(), for a text that is none or that breaks a rule. */
const ERRORS = ['OperationError', 'InvalidAccessError', 'InvalidModificationError'];

/** What a text loses, gains or has in another place, at a place that is a part of its length. */
type Damage =
	| { do: 'dropLine' | 'repeatLine' | 'cut'; at: number }
	| { do: 'swapLines'; at: number; with: number }
	| { do: 'insert'; at: number; junk: string }
	| { do: 'overwrite'; at: number; junk: string }
	| { do: 'number'; at: number; value: string }
	| { do: 'line'; prefix: string; at: number; within: number; how: 'drop' | 'repeat' | 'insert' | 'end'; junk: string };

const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const junk = fc.oneof(
	fc.string({ maxLength: 20 }),
	fc.string({ unit: 'binary', maxLength: 20 }),
	fc.constantFrom(
		'\r\n',
		'\n',
		'\0',
		' ',
		'm=',
		'a=',
		'm=audio 9 UDP/TLS/RTP/SAVPF 0',
		'a=mid:0',
		'a=inactive',
		'~',
		';;',
		'::',
	),
	fc.constantFrom('a=group:BUNDLE 0 0', 'a=ssrc-group:FID 1', 'a=rid:a send', 'a=simulcast:send a;a', 'a=rtpmap:0 x/1'),
);
const damage: fc.Arbitrary<Damage> = fc.oneof(
	fc.record({ do: fc.constantFrom('dropLine' as const, 'repeatLine' as const, 'cut' as const), at }),
	fc.record({ do: fc.constant('swapLines' as const), at, with: at }),
	fc.record({ do: fc.constantFrom('insert' as const, 'overwrite' as const), at, junk }),
	fc.record({
		do: fc.constant('number' as const),
		at,
		value: fc.constantFrom('-1', '0', '127', '128', '65536', '4294967296', '9'.repeat(400), '1e9', ''),
	}),
);
/** What negotiation reads, and a text has once a section or less: chance would seldom hit it. */
const PREFIXES = [
	'v=',
	'o=',
	'm=',
	'c=',
	'a=group:',
	'a=mid:',
	'a=ice-ufrag:',
	'a=ice-pwd:',
	'a=fingerprint:',
	'a=setup:',
];
const MEDIA_PREFIXES = [
	'a=rtpmap:',
	'a=rtcp-mux',
	'a=sendrecv',
	'a=msid:',
	'a=ssrc',
	'a=rid:',
	'a=simulcast:',
	'a=sctp-port:',
];
const aimed = fc.record({
	do: fc.constant('line' as const),
	prefix: fc.constantFrom(...PREFIXES, ...MEDIA_PREFIXES),
	at,
	within: at,
	how: fc.constantFrom('drop' as const, 'repeat' as const, 'insert' as const, 'end' as const),
	junk,
});
const damages = fc.array(fc.oneof(damage, aimed), { minLength: 1, maxLength: 4 });

function mangle(sdp: string, each: Damage): string {
	const lines = sdp.split('\r\n');
	const line = Math.floor(each.at * lines.length);
	const place = Math.floor(each.at * sdp.length);
	switch (each.do) {
		case 'dropLine':
			return lines.toSpliced(line, 1).join('\r\n');
		case 'repeatLine':
			return lines.toSpliced(line, 0, lines[line]!).join('\r\n');
		case 'swapLines': {
			const other = Math.floor(each.with * lines.length);
			return lines.with(line, lines[other]!).with(other, lines[line]!).join('\r\n');
		}
		case 'cut':
			return sdp.slice(0, place);
		case 'insert':
			return sdp.slice(0, place) + each.junk + sdp.slice(place);
		case 'overwrite':
			return sdp.slice(0, place) + each.junk + sdp.slice(place + each.junk.length);
		case 'line':
			return mangleLine(lines, each);
		case 'number': {
			const numbers = [...sdp.matchAll(/\d+/g)];
			const found = numbers[Math.floor(each.at * numbers.length)];
			if (!found) return sdp;
			return sdp.slice(0, found.index) + each.value + sdp.slice(found.index + found[0].length);
		}
	}
}

function mangleLine(lines: string[], { prefix, at, within, how, junk }: Damage & { do: 'line' }): string {
	const found = lines.flatMap((line, index) => (line.startsWith(prefix) ? [index] : []));
	const index = found[Math.floor(at * found.length)];
	if (index === undefined) return lines.join('\r\n');
	const line = lines[index]!;
	const place = Math.floor(within * line.length);
	const replacements = {
		drop: [],
		repeat: [line, line],
		insert: [line.slice(0, place) + junk + line.slice(place)],
		end: [line.slice(0, place) + junk],
	};
	return lines.toSpliced(index, 1, ...replacements[how]).join('\r\n');
}

/** Everything that a page can see of a connection's negotiation. */
function stateOf({ connection, fake }: Negotiator): unknown {
	const text = (description: RTCSessionDescription | null) => description && [description.type, description.sdp];
	const { signalingState, iceGatheringState, iceConnectionState, connectionState, canTrickleIceCandidates } =
		connection;
	return {
		states: [signalingState, iceGatheringState, iceConnectionState, connectionState, canTrickleIceCandidates],
		descriptions: [
			connection.currentLocalDescription,
			connection.pendingLocalDescription,
			connection.currentRemoteDescription,
			connection.pendingRemoteDescription,
		].map(text),
		transceivers: connection.getTransceivers().map(({ mid, direction, currentDirection, stopped }) => {
			return [mid, direction, currentDirection, stopped];
		}),
		objects: fake.remotes.map(({ type, isDropped, called }) => [type, isDropped, called]),
	};
}

/** An offerer with every sort of section, and an answerer; `rounds` negotiations lie behind them. */
async function peers(rounds: number): Promise<[Negotiator, Negotiator]> {
	const offerer = new Negotiator(true, 'balanced');
	const answerer = new Negotiator(false, 'balanced');
	for (const { connection } of [offerer, answerer]) connection.onnegotiationneeded = null;
	offerer.connection.addTransceiver('audio', { streams: offerer.makeStreams(2) });
	const sendEncodings = [{ rid: 'lo' }, { rid: 'hi' }];
	offerer.connection.addTransceiver('video', { sendEncodings });
	offerer.connection.createDataChannel('x');
	for (let round = 0; round < rounds; round += 1) {
		await negotiate(offerer.connection, answerer.connection);
		offerer.connection.addTransceiver('video', { direction: 'sendonly' });
	}
	return [offerer, answerer];
}

async function negotiate(offerer: RTCPeerConnection, answerer: RTCPeerConnection): Promise<void> {
	await offerer.setLocalDescription();
	await answerer.setRemoteDescription(offerer.localDescription!);
	await answerer.setLocalDescription();
	await offerer.setRemoteDescription(answerer.localDescription!);
}

/** Which section is where; one that says no mid has the one that it had. */
function outline(sdp: string | undefined): string[] {
	return sdp === undefined ? [] : parse(sdp).sections.map(({ kind, mid }, index) => `${kind} ${mid || index}`);
}

/** Gives a connection a text; whatever it makes of it, it is a right error without any trace, or a description. */
async function offer(self: Negotiator, type: 'offer' | 'answer', sdp: string): Promise<boolean> {
	const before = stateOf(self);
	try {
		await self.connection.setRemoteDescription({ type, sdp });
	} catch (error) {
		const { name, message } = error as DOMException;
		assert.ok(ERRORS.includes(name), `${name}: ${message}`);
		assert.equal(stateOf(self), before, 'a refused description leaves everything as it was');
		return false;
	}
	return true;
}

for (const rounds of [0, 1]) {
	const when = rounds === 0 ? 'first' : 'later';
	test(`a mangled ${when} offer is refused without a trace, or can be answered`, async () => {
		await fc.assert(
			fc.asyncProperty(damages, async (each) => {
				const [offerer, answerer] = await peers(rounds);
				await offerer.connection.setLocalDescription();
				const sdp = each.reduce(mangle, offerer.connection.localDescription!.sdp);
				const before = outline(answerer.connection.currentLocalDescription?.sdp);
				if (await offer(answerer, 'offer', sdp)) {
					const sections = outline(answerer.connection.remoteDescription!.sdp);
					assert.equal(sections.slice(0, before.length), before, 'sections stand where they stood');
					const mids = parse(answerer.connection.remoteDescription!.sdp).sections.flatMap(({ mid }) => mid || []);
					assert.is(new Set(mids).size, mids.length, 'a mid is one section');
					const answer = await answerer.connection.createAnswer();
					assert.is(write(parse(answer.sdp!)), answer.sdp);
					await answerer.connection.setLocalDescription(answer);
					assert.is(answerer.connection.signalingState, 'stable');
				}
				for (const { connection } of [offerer, answerer]) connection.close();
			}),
			parameters,
		);
	});

	test(`a mangled ${when} answer is refused without a trace, and the right one is taken then`, async () => {
		await fc.assert(
			fc.asyncProperty(damages, async (each) => {
				const [offerer, answerer] = await peers(rounds);
				await offerer.connection.setLocalDescription();
				await answerer.connection.setRemoteDescription(offerer.connection.localDescription!);
				await answerer.connection.setLocalDescription();
				const right = answerer.connection.localDescription!.sdp;
				const isTaken = await offer(offerer, 'answer', each.reduce(mangle, right));
				if (isTaken) {
					const mangled = outline(offerer.connection.remoteDescription!.sdp);
					assert.equal(mangled, outline(offerer.connection.localDescription!.sdp), 'sections are those of the offer');
				} else await offerer.connection.setRemoteDescription({ type: 'answer', sdp: right });
				assert.is(offerer.connection.signalingState, 'stable');
				for (const { connection } of [offerer, answerer]) connection.close();
			}),
			parameters,
		);
	});
}

test('a text of any lines is read in a time that its length bounds', () => {
	// Lines that make a reader look back over others: groups, formats, rids, SSRCs, all many.
	const many = 60_000;
	const head = ['v=0', 'o=- 1 1 IN IP4 0.0.0.0', 's=-', 't=0 0'];
	const media = 'm=video 9 UDP/TLS/RTP/SAVPF 96';
	const each = (line: (index: number) => string) => Array.from({ length: many }, (_, index) => line(index));
	const long = 'a'.repeat(many * 10);
	const texts = [
		[...head, media, ...each((index) => `a=ssrc:${index} cname:x`)],
		[...head, media, ...each((index) => `a=ssrc-group:FID ${index} ${index + 1}`)],
		[...head, media, ...each((index) => `a=rid:r${index} send`), `a=simulcast:send ${each((i) => `r${i}`).join(';')}`],
		[...head, media, ...each((index) => `a=rtcp-fb:96 x${index}`)],
		[...head, media, ...each((index) => `a=extmap:${(index % 255) + 1} urn:${index}`)],
		[...head, media, ...each((index) => `a=candidate:${index} 1 udp 1 192.0.2.1 5000 typ host`)],
		[...head, `a=group:BUNDLE ${each(String).join(' ')}`, media],
		[...head, `m=video 9 UDP/TLS/RTP/SAVPF ${each(() => '96').join(' ')}`],
		[...head, media, `a=fmtp:96 ${long}`, `a=candidate:${long}`, `a=fingerprint:sha-256 ${'AB:'.repeat(many)}`],
		[...head, media, `a=${' '.repeat(many * 10)}`, `a=rid:${long}`, `a=simulcast:send ${'~a,;'.repeat(many)}`],
	];
	for (const lines of texts) {
		const before = process.cpuUsage();
		try {
			parse(lines.join('\r\n'));
		} catch (error) {
			assert.is((error as Error).name, 'SdpError');
		}
		const { user } = process.cpuUsage(before);
		// Quadratic in 60,000, as one of them was, is 9 s and more.
		assert.ok(user < 4_000_000, `${user / 1e6} s for ${lines.length} lines of ${lines[4]!.slice(0, 20)}`);
	}
});

test.run();
