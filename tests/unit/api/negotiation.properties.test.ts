/** Two connections, their workers faked, do anything at any time; what the network carries comes when it likes. */
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RTCRtpTransceiver } from '../../../shim/api/index.ts';
import { getCapabilities, type Kind } from '../../../shim/jsep/index.ts';
import { nextTask } from '../../../shim/webidl/task.ts';
import { assertAgreement } from './agreement.ts';
import { Negotiator } from './Negotiator.ts';

const seed = Number(process.env.JSEP_SEED ?? Date.now() % 2 ** 31);
console.log(`seed ${seed} (JSEP_SEED repeats it)`);
const parameters = {
	seed,
	numRuns: Number(process.env.JSEP_RUNS ?? 150),
	endOnFailure: false,
	includeErrorInReport: true,
};

/** Negotiations after which two connections that have changed nothing must have come to an end. */
const ROUNDS = 20;

type Which = { which: number };
type Operation =
	| { do: 'addTransceiver'; kind: Kind; direction: RTCRtpTransceiverDirection; layers: number; streams: number }
	| { do: 'addTrack'; kind: Kind; streams: number }
	| ({ do: 'removeTrack' | 'stop' | 'dropTrack' | 'toggle' } & Which)
	| ({ do: 'direction'; direction: RTCRtpTransceiverDirection } & Which)
	| ({ do: 'prefer'; from: number; count: number } & Which)
	| ({ do: 'setStreams'; streams: number } & Which)
	| { do: 'channel' | 'restartIce' | 'takeBack' | 'hesitate' | 'deliver' };

const kind = fc.constantFrom<Kind>('audio', 'video');
const direction = fc.constantFrom<RTCRtpTransceiverDirection>('sendrecv', 'sendonly', 'recvonly', 'inactive');
const which = fc.nat(9);
const streams = fc.nat(2);
const only = <N extends string>(...names: N[]) => fc.constantFrom(...names);

const operation: fc.Arbitrary<Operation> = fc.oneof(
	{
		weight: 2,
		arbitrary: fc.record({ do: only('addTransceiver'), kind, direction, layers: fc.constantFrom(0, 0, 2, 3), streams }),
	},
	{ weight: 2, arbitrary: fc.record({ do: only('addTrack'), kind, streams }) },
	{ weight: 4, arbitrary: fc.record({ do: only('removeTrack', 'stop', 'dropTrack', 'toggle'), which }) },
	{ weight: 2, arbitrary: fc.record({ do: only('direction'), direction, which }) },
	{
		weight: 1,
		arbitrary: fc.record({ do: only('prefer'), from: fc.nat(4), count: fc.integer({ min: 1, max: 9 }), which }),
	},
	{ weight: 1, arbitrary: fc.record({ do: only('setStreams'), streams, which }) },
	{ weight: 4, arbitrary: fc.record({ do: only('channel', 'restartIce', 'takeBack', 'hesitate') }) },
	// Often, so that most of what happens is renegotiated.
	{ weight: 10, arbitrary: fc.record({ do: only('deliver') }) },
);

/** `tasks` go by after it: all that is asynchronous takes several, so that operations come between its pieces. */
const step = fc.record({
	by: fc.constantFrom(0, 1),
	when: fc.constantFrom('now', 'now', 'now', 'before an answer'),
	operation,
	tasks: fc.nat(6),
});
const policy = fc.constantFrom<RTCBundlePolicy>('max-bundle', 'balanced', 'max-compat');

test('whatever two peers do and whenever, perfect negotiation ends in two that are stable and agree', async () => {
	await fc.assert(
		fc.asyncProperty(policy, policy, fc.array(step, { maxLength: 40 }), async (policyA, policyB, script) => {
			const peers = [new Negotiator(true, policyA), new Negotiator(false, policyB)] as const;
			const places = new Map<string, RTCRtpTransceiver>();
			for (const { by, when, operation, tasks } of script) {
				const [self, other] = by === 0 ? peers : [peers[1], peers[0]];
				if (when === 'now') perform(operation, self, other);
				else self.beforeAnswer.push(() => perform(operation, self, other));
				for (let task = 0; task < tasks; task += 1) await nextTask();
			}
			await settle(...peers);
			assertAgreement(...peers);
			assertOneOwner(places, peers[0]);
			for (const { connection, fake } of peers) {
				connection.close();
				assert.is(fake.holds, 0);
				const left = fake.remotes.filter(
					({ isDropped, type }) => !isDropped && !/^(MediaSource|Track|FrameWriter)$/.test(type),
				);
				assert.equal(
					left.map(({ type }) => type),
					[],
				);
			}
		}),
		parameters,
	);
});

function perform(operation: Operation, self: Negotiator, other: Negotiator): void {
	const { connection, transceivers } = self;
	const transceiver =
		'which' in operation ? transceivers[operation.which % Math.max(1, transceivers.length)] : undefined;
	switch (operation.do) {
		case 'addTransceiver': {
			const { kind, direction, layers } = operation;
			const rids = kind === 'video' ? ['a', 'b', 'c'].slice(0, layers) : [];
			const sendEncodings = rids.map((rid, index) => ({ rid, active: index !== 2 }));
			connection.addTransceiver(kind, { direction, sendEncodings, streams: self.makeStreams(operation.streams) });
			return;
		}
		case 'addTrack':
			connection.addTrack(self.makeTrack(operation.kind), ...self.makeStreams(operation.streams));
			return;
		case 'channel':
			self.channels.push(connection.createDataChannel('x'));
			return;
		case 'restartIce':
			self.restartIce();
			return;
		case 'takeBack':
			self.takeBack();
			return;
		case 'hesitate':
			self.answering = self.answering === 'at once' ? 'after a rollback' : 'at once';
			return;
		case 'deliver':
			self.deliverFrom(other);
			return;
		default:
			if (transceiver && transceiver.direction !== 'stopped') performOn(operation, transceiver, self);
	}
}

function performOn(
	operation: Operation & Which,
	transceiver: RTCRtpTransceiver,
	{ connection, makeStreams }: Negotiator,
): void {
	const { sender, receiver } = transceiver;
	switch (operation.do) {
		case 'removeTrack':
			connection.removeTrack(sender);
			return;
		case 'stop':
			transceiver.stop();
			return;
		case 'dropTrack':
			void sender.replaceTrack(null).catch(expectStopped);
			return;
		case 'toggle':
			toggle(transceiver);
			return;
		case 'direction':
			transceiver.direction = operation.direction;
			return;
		case 'setStreams':
			sender.setStreams(...makeStreams(operation.streams));
			return;
		case 'prefer': {
			const { codecs } = getCapabilities(receiver.track.kind as Kind)!;
			// Rotated, and the end left out: the peers may have none in common, which rejects the section.
			const rotated = [...codecs.slice(operation.from), ...codecs.slice(0, operation.from)];
			const chosen = rotated.slice(0, operation.count);
			const carries = ({ mimeType }: { mimeType: string }) => !/\/(rtx|red|ulpfec|telephone-event|CN)$/i.test(mimeType);
			transceiver.setCodecPreferences(chosen.some(carries) ? chosen : rotated);
		}
	}
}

/** Turns the first encoding on or off. A description that is set meanwhile makes the parameters stale. */
function toggle({ sender }: RTCRtpTransceiver): void {
	const parameters = sender.getParameters();
	const [first] = parameters.encodings;
	if (!first) return;
	first.active = !first.active;
	void sender.setParameters(parameters).catch(expectStopped);
}

function expectStopped({ name }: Error): void {
	assert.ok(['InvalidStateError', 'InvalidModificationError'].includes(name), name);
}

/** Delivers everything until nobody has anything to do or to say. */
async function settle(a: Negotiator, b: Negotiator): Promise<void> {
	const offersBefore = a.offers + b.offers;
	for (let idle = 0; idle < 5; ) {
		const isIdle = [a, b].every(({ working, outbox }) => working.size === 0 && outbox.length === 0);
		idle = isIdle ? idle + 1 : 0;
		a.deliverFrom(b);
		b.deliverFrom(a);
		await nextTask();
		assert.ok(a.offers + b.offers - offersBefore < ROUNDS, 'they negotiate without end');
	}
}

/** A mid stands for one transceiver. */
function assertOneOwner(places: Map<string, RTCRtpTransceiver>, { transceivers }: Negotiator): void {
	for (const transceiver of transceivers) {
		assert.is(places.get(transceiver.mid!) ?? transceiver, transceiver);
		places.set(transceiver.mid!, transceiver);
	}
}

test.run();
