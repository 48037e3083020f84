import * as assert from 'uvu/assert';
import {
	type RTCDataChannel,
	RTCPeerConnection,
	type RTCRtpReceiver,
	type RTCRtpTransceiver,
} from '../../../shim/api/index.ts';
import { type Direction, parse, receives } from '../../../shim/jsep/index.ts';
import { MediaStream, MediaStreamTrackGenerator } from '../../../shim/media/index.ts';
import { bindContext } from '../../../shim/rpc/context.ts';
import { assertEqualInGroups } from '../jsepGroups.ts';
import { FakeSession } from './fakeSession.ts';

/** How an answerer takes an offer: at once, or only after it has set it and rolled it back. */
export type Answering = 'at once' | 'after a rollback';

/**
 * A connection without a worker, and the code of an application around it: perfect negotiation, over a network in which
 * messages wait until they are delivered.
 * @see https://www.w3.org/TR/webrtc/#perfect-negotiation-example
 */
export class Negotiator {
	readonly fake = new FakeSession();
	readonly connection: RTCPeerConnection;
	readonly polite: boolean;
	/** What it has sent, and nobody has delivered yet. */
	readonly outbox: RTCSessionDescriptionInit[] = [];
	/** Calls that it is in. */
	readonly working = new Set<Promise<void>>();
	readonly errors: unknown[] = [];
	/** Receivers whose track was announced, and the streams that it was in at any time. */
	readonly announced = new Map<RTCRtpReceiver, Set<globalThis.MediaStream>>();
	/** Of those, whose tracks were announced since they last received nothing. */
	readonly receiving = new Set<RTCRtpReceiver>();
	readonly channels: RTCDataChannel[] = [];
	/** Done when the next offer is set, before it is answered. */
	readonly beforeAnswer: (() => void)[] = [];
	/** Username fragments, of either side, that a restart is to replace. */
	readonly retired = new Set<string>();
	answering: Answering = 'at once';
	/** How often it began a negotiation. */
	offers = 0;
	#making = false;
	#settingAnswer = false;
	#takingBack = 0;

	constructor(polite: boolean, bundlePolicy: RTCBundlePolicy) {
		this.polite = polite;
		const Bound = bindContext(RTCPeerConnection, { session: () => this.fake.session });
		this.connection = new Bound({ bundlePolicy });
		this.connection.onnegotiationneeded = () => this.#work(() => this.#offer());
		this.connection.ontrack = ({ receiver: announced, streams }) => {
			// The event's types are the platform's; the object is ours.
			const receiver = announced as unknown as RTCRtpReceiver;
			const known = this.announced.get(receiver) ?? new Set();
			this.announced.set(receiver, known);
			this.receiving.add(receiver);
			for (const stream of streams) known.add(stream);
		};
	}

	get transceivers(): RTCRtpTransceiver[] {
		return this.connection.getTransceivers();
	}

	makeTrack(kind: 'audio' | 'video'): MediaStreamTrackGenerator {
		const Bound = bindContext(MediaStreamTrackGenerator, { session: () => this.fake.session });
		return new Bound(kind);
	}

	makeStreams(count: number): MediaStream[] {
		return Array.from({ length: count }, () => new MediaStream());
	}

	/** Takes the oldest message that `other` has sent; the network is down while an offer is being taken back. */
	deliverFrom(other: Negotiator): void {
		const message = this.#takingBack > 0 ? undefined : other.outbox.shift();
		if (message) this.#work(() => this.#receive(message));
	}

	restartIce(): void {
		const { connection } = this;
		for (const description of [connection.currentLocalDescription, connection.currentRemoteDescription]) {
			for (const [, usernameFragment] of description?.sdp.matchAll(/a=ice-ufrag:(\S+)/g) ?? []) {
				this.retired.add(usernameFragment!);
			}
		}
		connection.restartIce();
	}

	/** Makes an offer that nobody sees, and rolls it back. */
	takeBack(): void {
		if (this.connection.signalingState !== 'stable' || this.#making || this.working.size > 0) return;
		this.#work(async () => {
			this.#takingBack += 1;
			const restored = this.#remember();
			try {
				await this.connection.setLocalDescription(await this.connection.createOffer());
				await this.connection.setLocalDescription({ type: 'rollback' });
				restored();
			} finally {
				this.#takingBack -= 1;
			}
		});
	}

	/** @returns checks that all is as it is now, but of transceivers that are stopped meanwhile */
	#remember(): () => void {
		const known = this.transceivers.map((transceiver) => ({ transceiver, before: this.#outline(transceiver) }));
		const transports = this.#transports();
		const { sctp } = this.connection;
		return () => {
			for (const { transceiver, before } of known) {
				if (!transceiver.stopped) assert.equal(this.#outline(transceiver), before, 'a transceiver, rolled back');
			}
			assert.is(this.#transports(), transports, 'transports, rolled back');
			assert.is(this.connection.sctp, sctp, 'the association, rolled back');
		};
	}

	#outline({ mid, sender, receiver }: RTCRtpTransceiver): unknown {
		const [sending, receiving] = [sender, receiver].map(({ transport }) => transport);
		const streams = [...(this.announced.get(receiver) ?? [])];
		return {
			mid,
			usernameFragments: [sending, receiving].map((each) => each?.iceTransport.getLocalParameters()?.usernameFragment),
			states: [sending, receiving].map((each) => each?.state),
			streams: streams.filter((stream) => stream.getTracks().includes(receiver.track as never)).map(({ id }) => id),
		};
	}

	/** How many are alive. */
	#transports(): number {
		return this.fake.of('IceTransport').filter(({ isDropped }) => !isDropped).length;
	}

	/** Runs what an application does; what it rejects with is an error of the test. */
	#work(work: () => Promise<void>): void {
		const running = work()
			.catch((error: unknown) => void this.errors.push(error))
			.finally(() => this.working.delete(running));
		this.working.add(running);
	}

	async #offer(): Promise<void> {
		this.offers += 1;
		this.#making = true;
		try {
			await this.connection.setLocalDescription();
			this.#send();
		} finally {
			this.#making = false;
		}
	}

	async #receive(description: RTCSessionDescriptionInit): Promise<void> {
		const { connection } = this;
		const isReady = !this.#making && (connection.signalingState === 'stable' || this.#settingAnswer);
		if (description.type === 'offer' && !isReady && !this.polite) return;
		this.#settingAnswer = description.type === 'answer';
		if (description.type === 'offer' && this.answering === 'after a rollback') {
			const restored = connection.signalingState === 'stable' && this.working.size === 0 ? this.#remember() : () => {};
			// Chained at once, so that nothing of its own comes between.
			void connection.setRemoteDescription(description);
			await connection.setRemoteDescription({ type: 'rollback', sdp: '' });
			restored();
		}
		await connection.setRemoteDescription(description);
		this.#settingAnswer = false;
		if (description.type === 'offer') {
			for (const act of this.beforeAnswer.splice(0)) act();
			await connection.setLocalDescription();
			this.#send();
		}
		for (const { currentDirection, receiver } of this.transceivers) {
			if (!receives(currentDirection as Direction)) this.receiving.delete(receiver);
		}
	}

	#send(): void {
		const description = this.connection.localDescription!.toJSON();
		if (description.type === 'offer') assertEqualInGroups(parse(description.sdp));
		this.outbox.push(description);
	}
}
