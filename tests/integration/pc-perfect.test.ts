/** Perfect negotiation, as the specification's example has it, between two shims that both do what they like. */
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createShim, type Shim } from '../../entries/node.ts';
import type { RTCDataChannel, RTCPeerConnection } from '../../shim/api/index.ts';
import { connected, next, opened, until } from './pcPair.ts';

const seed = Number(process.env.JSEP_SEED ?? Date.now() % 2 ** 31);
console.log(`seed ${seed} (JSEP_SEED repeats it)`);
const PATIENCE = 30_000;

interface Message {
	description?: RTCSessionDescriptionInit;
	candidate?: RTCIceCandidateInit | null;
}

/** @see https://www.w3.org/TR/webrtc/#perfect-negotiation-example */
class Side {
	readonly shim: Shim = createShim();
	readonly connection: RTCPeerConnection = new this.shim.RTCPeerConnection();
	readonly errors: unknown[] = [];
	/** Offers of the other side that it did not take. */
	ignored = 0;
	peer!: Side;
	readonly #polite: boolean;
	#making = false;
	#ignoring = false;
	#settingAnswer = false;

	constructor(polite: boolean) {
		this.#polite = polite;
		this.connection.onicecandidate = ({ candidate }) => this.#send({ candidate: candidate?.toJSON() ?? null });
		this.connection.onnegotiationneeded = async () => {
			try {
				this.#making = true;
				await this.connection.setLocalDescription();
				this.#send({ description: this.connection.localDescription!.toJSON() });
			} catch (error) {
				this.errors.push(error);
			} finally {
				this.#making = false;
			}
		};
	}

	#send(message: Message): void {
		setTimeout(() => this.peer.#receive(message), 1);
	}

	async #receive({ description, candidate }: Message): Promise<void> {
		const { connection } = this;
		try {
			if (description) await this.#describe(description);
			else await connection.addIceCandidate(candidate).catch((error) => this.#ignoring || Promise.reject(error));
		} catch (error) {
			if (connection.signalingState !== 'closed') this.errors.push(error);
		}
	}

	async #describe(description: RTCSessionDescriptionInit): Promise<void> {
		const { connection } = this;
		const isReady = !this.#making && (connection.signalingState === 'stable' || this.#settingAnswer);
		this.#ignoring = !this.#polite && description.type === 'offer' && !isReady;
		if (this.#ignoring) {
			this.ignored += 1;
			return;
		}
		this.#settingAnswer = description.type === 'answer';
		await connection.setRemoteDescription(description);
		this.#settingAnswer = false;
		if (description.type !== 'offer') return;
		await connection.setLocalDescription();
		this.#send({ description: connection.localDescription!.toJSON() });
	}
}

const acts: Record<string, (connection: RTCPeerConnection) => void> = {
	audio: (connection) => void connection.addTransceiver('audio'),
	video: (connection) => void connection.addTransceiver('video', { direction: 'recvonly' }),
	channel: (connection) => void connection.createDataChannel('more'),
	restart: (connection) => connection.restartIce(),
	stop: (connection) => connection.getTransceivers().at(0)?.stop(),
	turn: (connection) => {
		const transceiver = connection.getTransceivers().at(-1);
		if (!transceiver || transceiver.direction === 'stopped') return;
		transceiver.direction = transceiver.direction === 'sendrecv' ? 'inactive' : 'sendrecv';
	},
};

test('two sides that call each other at once and change everything at random end connected, and agree', async () => {
	const [polite, impolite] = [new Side(true), new Side(false)];
	[polite.peer, impolite.peer] = [impolite, polite];
	const sides = [polite, impolite] as const;
	const channels = sides.map(({ connection }) => connection.createDataChannel('chat', { negotiated: true, id: 1 }));
	const act = fc.record({
		by: fc.constantFrom(0, 1),
		act: fc.constantFrom(...Object.keys(acts)),
		// Milliseconds; most come while a negotiation is under way.
		pause: fc.constantFrom(0, 0, 1, 3, 10),
	});
	for (const { by, act: name, pause } of fc.sample(act, { seed, numRuns: 60 })) {
		acts[name]!(sides[by]!.connection);
		if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
	}
	await until('they agree', () => sides.some(({ errors }) => errors.length > 0) || agree(...sides), PATIENCE);
	assert.equal(
		sides.map(({ errors }) => errors.map(String)),
		[[], []],
	);
	assert.ok(impolite.ignored > 0, 'offers met');
	await connected(polite.connection, impolite.connection);
	await talk(channels as [RTCDataChannel, RTCDataChannel]);
	for (const { connection, shim } of sides) {
		connection.close();
		await shim.close();
	}
});

function agree(polite: Side, impolite: Side): boolean {
	const [a, b] = [polite.connection, impolite.connection];
	const isStable = [a, b].every(({ signalingState }) => signalingState === 'stable');
	const outline = (connection: RTCPeerConnection, mirrored: boolean) =>
		connection
			.getTransceivers()
			.map(({ mid, currentDirection }) => `${mid} ${mirrored ? mirror(currentDirection) : currentDirection}`);
	const [ours, theirs] = [outline(a, false).toSorted(), outline(b, true).toSorted()];
	// Candidates are added to a description after it was sent: those of the first section's credentials tell which it is.
	const ufrag = (description: { sdp: string } | null) => /a=ice-ufrag:(\S+)/.exec(description?.sdp ?? '')?.[1];
	const isSame =
		ufrag(a.currentLocalDescription) === ufrag(b.currentRemoteDescription) &&
		ufrag(b.currentLocalDescription) === ufrag(a.currentRemoteDescription);
	return isStable && isSame && ours.join() === theirs.join() && !ours.some((line) => line.startsWith('null'));
}

function mirror(direction: RTCRtpTransceiverDirection | null): string {
	return { sendonly: 'recvonly', recvonly: 'sendonly' }[direction as string] ?? String(direction);
}

async function talk([ours, theirs]: [RTCDataChannel, RTCDataChannel]): Promise<void> {
	await Promise.all([opened(ours), opened(theirs)]);
	for (const [from, to] of [
		[ours, theirs],
		[theirs, ours],
	] as const) {
		const incoming = next<MessageEvent>(to, 'message', PATIENCE);
		from.send('after all that');
		assert.is((await incoming).data, 'after all that');
	}
}

test.run();
