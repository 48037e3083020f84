/** Peer behind as much of RTCPeerConnection's face as mediasoup-client's Chrome111 handler looks at. */

import type { Direction, Kind, MediaParameters, SdpType, TransceiverRecord } from '../../shim/jsep/index.ts';
import { Peer } from './jsepPeer.ts';

export class Track extends EventTarget {
	static count = 0;
	readonly id = `track-${++Track.count}`;
	readonly readyState = 'live';
	readonly enabled = true;
	readonly kind: Kind;

	constructor(kind: Kind) {
		super();
		this.kind = kind;
	}

	stop(): void {}
}

export class Transceiver {
	readonly record: TransceiverRecord;
	readonly sender;
	readonly receiver;

	constructor(record: TransceiverRecord) {
		this.record = record;
		const { sendEncodings: encodings, kind } = record;
		this.receiver = { track: new Track(kind) };
		this.sender = {
			record,
			replaceTrack: async () => {},
			getParameters: () => ({ encodings: encodings.map(({ rid, active }) => ({ rid, active })) }),
			setParameters: async (parameters: { encodings: { active: boolean }[] }) => {
				parameters.encodings.forEach(({ active }, i) => {
					encodings[i]!.active = active;
				});
			},
		};
	}

	get mid(): string | null {
		return this.record.mid;
	}

	set direction(direction: Direction) {
		this.record.direction = direction;
	}

	stop(): void {
		this.record.stopping = true;
	}
}

export class Connection extends EventTarget {
	/** Every one made, so that a test can look behind the handler. */
	static readonly all: Connection[] = [];
	readonly peer = new Peer(String.fromCharCode(97 + (Connection.all.length % 26)));
	readonly connectionState = 'new';
	/** Every description set, in order. */
	readonly log: { side: 'local' | 'remote'; type: SdpType; sdp: string }[] = [];
	#transceivers = new Map<TransceiverRecord, Transceiver>();

	constructor() {
		super();
		Connection.all.push(this);
	}

	get localDescription(): { sdp: string } {
		return { sdp: this.log.findLast(({ side }) => side === 'local')!.sdp };
	}

	addTransceiver(
		trackOrKind: Track | Kind,
		init: { direction: Direction; streams?: { id: string }[]; sendEncodings?: { rid?: string }[] },
	): Transceiver {
		const track = typeof trackOrKind === 'string' ? null : trackOrKind;
		const encodings = init.sendEncodings ?? [];
		const rids = encodings.length > 1 ? encodings.map(({ rid }) => rid!) : [];
		const record = this.peer.add(track?.kind ?? (trackOrKind as Kind), init.direction, rids);
		record.streams = init.streams?.map(({ id }) => id) ?? [];
		if (track) record.trackId = track.id;
		return this.#transceiver(record);
	}

	getTransceivers(): Transceiver[] {
		return this.peer.transceivers.map((record) => this.#transceiver(record));
	}

	removeTrack({ record }: Transceiver['sender']): void {
		record.direction = record.direction === 'sendrecv' ? 'recvonly' : 'inactive';
	}

	createDataChannel(): EventTarget {
		this.peer.wantsData = true;
		return new EventTarget();
	}

	async createOffer(options?: { iceRestart?: boolean }): Promise<{ type: 'offer'; sdp: string }> {
		return { type: 'offer', sdp: this.peer.offer({ iceRestart: options?.iceRestart ?? false }) };
	}

	async createAnswer(): Promise<{ type: 'answer'; sdp: string }> {
		return { type: 'answer', sdp: this.peer.answer() };
	}

	async setLocalDescription({ type, sdp }: { type: SdpType; sdp: string }): Promise<void> {
		this.peer.setLocal(type, sdp);
		this.log.push({ side: 'local', type, sdp });
	}

	async setRemoteDescription({ type, sdp }: { type: SdpType; sdp: string }): Promise<void> {
		this.peer.setRemote(type, sdp);
		this.log.push({ side: 'remote', type, sdp });
	}

	/** What was agreed for the section of a mid. */
	media(mid: string): MediaParameters {
		return this.peer.media(this.peer.transceivers.find((record) => record.mid === mid)!);
	}

	close(): void {}

	#transceiver(record: TransceiverRecord): Transceiver {
		let transceiver = this.#transceivers.get(record);
		if (!transceiver) {
			transceiver = new Transceiver(record);
			this.#transceivers.set(record, transceiver);
		}
		return transceiver;
	}
}
