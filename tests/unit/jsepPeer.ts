/**
 * The least that can negotiate: what a connection keeps of its descriptions and transceivers, without any I/O.
 * Tests of negotiation run two of them against each other, or one against texts of other implementations.
 */

import {
	allExtensions,
	associateRemote,
	type Built,
	type BundlePolicy,
	buildAnswer,
	buildOffer,
	checkLocal,
	checkRemote,
	type Description,
	type Direction,
	interpretMedia,
	interpretTransport,
	type Kind,
	type MediaParameters,
	negotiatedOwners,
	type Problem,
	parse,
	type SdpType,
	type TransceiverRecord,
	type TransportOwners,
	type TransportParameters,
	type TransportRecord,
	write,
} from '../../shim/jsep/index.ts';

export class Refused extends Error {
	readonly problem: Problem;

	constructor(problem: Problem) {
		super(`${problem.name}: ${problem.message}`);
		this.problem = problem;
	}
}

interface Pair {
	local: Description;
	remote: Description;
	answerer: 'local' | 'remote';
}

export class Peer {
	readonly name: string;
	readonly bundlePolicy: BundlePolicy;
	transceivers: TransceiverRecord[] = [];
	fromAddTrack: boolean[] = [];
	wantsData = false;
	/** The last pair that an answer completed. */
	stable: Pair | null = null;
	pending: { type: 'local' | 'remote'; offer: Description; owners: TransportOwners } | null = null;
	transports = new Map<string, TransportRecord>();
	#created: Built | null = null;
	#count = 0;
	#version = 0;

	constructor(name: string, bundlePolicy: BundlePolicy = 'max-bundle') {
		this.name = name;
		this.bundlePolicy = bundlePolicy;
	}

	add(kind: Kind, direction: Direction = 'sendrecv', rids: string[] = []): TransceiverRecord {
		const id = `${this.name}${++this.#count}`;
		const encoding = () => ({
			ssrc: this.#ssrc(),
			...(kind === 'video' ? { rtxSsrc: this.#ssrc() } : {}),
			active: true,
		});
		const record: TransceiverRecord = {
			kind,
			mid: null,
			mlineIndex: null,
			direction,
			stopping: false,
			stopped: false,
			streams: [`stream-${this.name}`],
			trackId: `track-${id}`,
			cname: `cname-${this.name}`,
			codecPreferences: [],
			headerExtensions: allExtensions(kind),
			sendEncodings: rids.length > 0 ? rids.map((rid) => ({ ...encoding(), rid })) : [encoding()],
		};
		this.transceivers.push(record);
		this.fromAddTrack.push(false);
		return record;
	}

	addTrack(kind: Kind): TransceiverRecord {
		const record = this.add(kind);
		this.fromAddTrack[this.fromAddTrack.length - 1] = true;
		return record;
	}

	/** Names are of one length so that numbers of two peers never meet. */
	#ssrc(): number {
		return (this.name.charCodeAt(0) << 16) + ++this.#count;
	}

	offer({ iceRestart = false } = {}): string {
		const local = this.pending?.type === 'local' ? this.pending.offer : (this.stable?.local ?? null);
		return this.#remember(
			buildOffer({
				...this.#input(),
				local,
				remote: this.stable?.remote ?? null,
				iceRestart,
				sctp: this.wantsData ? { port: 5000, maxMessageSize: 262144 } : null,
			}),
		);
	}

	answer(): string {
		return this.#remember(
			buildAnswer({
				...this.#input(),
				local: this.stable?.local ?? null,
				remote: this.pending!.offer,
				previousRemote: this.stable?.remote ?? null,
				sctp: { port: 5000, maxMessageSize: 262144 },
			}),
		);
	}

	setLocal(type: SdpType, sdp: string): void {
		const description = parse(sdp);
		const problem = checkLocal(description, { type, created: this.#created });
		if (problem) throw new Refused(problem);
		for (const { mid, mlineIndex, transceiver } of this.#created!.assignments) {
			if (transceiver === null) continue;
			Object.assign(this.transceivers[transceiver]!, { mid, mlineIndex });
		}
		if (type === 'offer') {
			const { owners } = this.#created!;
			this.pending = { type: 'local', offer: description, owners };
			this.#applyTransports(description, owners, null);
		} else this.#settle({ local: description, remote: this.pending!.offer, answerer: 'local' });
	}

	setRemote(type: SdpType, sdp: string): void {
		const checked = checkRemote(parse(sdp), {
			type,
			local: type === 'offer' ? (this.stable?.local ?? null) : (this.pending?.offer ?? null),
			remote: this.stable?.remote ?? null,
			owners: this.pending?.owners ?? new Map(),
		});
		if (checked.problem) throw new Refused(checked.problem);
		const { description } = checked;
		if (type !== 'offer') {
			this.#settle({ local: this.pending!.offer, remote: description, answerer: 'remote' });
			return;
		}
		this.pending = { type: 'remote', offer: description, owners: new Map() };
		for (const { mid, mlineIndex, transceiver } of associateRemote(description, this.transceivers, this.fromAddTrack)) {
			if (transceiver === null) continue;
			const kind = description.sections[mlineIndex]!.kind as Kind;
			const record = transceiver === 'new' ? this.add(kind, 'recvonly') : this.transceivers[transceiver]!;
			Object.assign(record, { mid, mlineIndex });
		}
	}

	/** What the last complete negotiation gave the transceiver. */
	media(record: TransceiverRecord): MediaParameters {
		const { local, remote, answerer } = this.stable!;
		const index = local.sections.findIndex(({ mid }) => mid === record.mid);
		return interpretMedia(local.sections[index]!, remote.sections[index]!, answerer, record);
	}

	/** Transports of the last complete negotiation, by owner. */
	owners(): TransportOwners {
		const { local, remote, answerer } = this.stable!;
		return negotiatedOwners(local, answerer === 'local' ? local : remote);
	}

	transport(mid: string): TransportParameters {
		const { local, remote, answerer } = this.stable!;
		const index = local.sections.findIndex((section) => section.mid === mid);
		return interpretTransport(local.sections[index]!, remote.sections[index]!, answerer);
	}

	#input() {
		return {
			sessionId: '4611731400430051336',
			sessionVersion: ++this.#version,
			transceivers: this.transceivers,
			transports: this.transports,
			fingerprints: [
				{ algorithm: 'sha-384', value: '01:02' },
				{ algorithm: 'sha-256', value: `${this.name.charCodeAt(0).toString(16).toUpperCase()}:FF` },
			],
			bundlePolicy: this.bundlePolicy,
			newCredentials: () => ({
				usernameFragment: `${this.name}${++this.#count}frag`,
				password: `${this.name}${this.#count}`.padEnd(24, 'p'),
			}),
		};
	}

	#remember(built: Built): string {
		this.#created = built;
		return write(built.description);
	}

	#settle(pair: Pair): void {
		this.stable = pair;
		this.pending = null;
		this.#created = null;
		this.#applyTransports(pair.local, this.owners(), pair);
		for (const record of this.transceivers) {
			const index = pair.local.sections.findIndex(({ mid }) => mid === record.mid);
			if (index < 0) continue;
			if (pair.local.sections[index]!.rejected || pair.remote.sections[index]!.rejected) record.stopped = true;
		}
		const live = this.transceivers.map((record) => !record.stopped);
		this.transceivers = this.transceivers.filter((_, i) => live[i]);
		this.fromAddTrack = this.fromAddTrack.filter((_, i) => live[i]);
	}

	#applyTransports(local: Description, owners: TransportOwners, pair: Pair | null): void {
		const records = new Map<string, TransportRecord>();
		for (const owner of new Set(owners.values())) {
			const section = local.sections.find((candidate) => candidate.mid === owner)!;
			const index = local.sections.indexOf(section);
			const { dtls } = interpretTransport(section, pair?.remote.sections[index] ?? null, pair?.answerer ?? null);
			const before = this.transports.get(owner);
			records.set(owner, {
				usernameFragment: section.iceUfrag!,
				password: section.icePwd!,
				candidates: before?.candidates ?? [],
				endOfCandidates: false,
				dtlsRole: dtls?.role ?? before?.dtlsRole ?? null,
			});
		}
		this.transports = new Map([...owners].map(([mid, owner]) => [mid, records.get(owner)!]));
	}
}

/** One whole offer and answer; gives both texts. */
export function negotiate(
	offerer: Peer,
	answerer: Peer,
	options?: { iceRestart: boolean },
): { offer: string; answer: string } {
	const offer = offerer.offer(options);
	offerer.setLocal('offer', offer);
	answerer.setRemote('offer', offer);
	const answer = answerer.answer();
	answerer.setLocal('answer', answer);
	offerer.setRemote('answer', answer);
	return { offer, answer };
}
