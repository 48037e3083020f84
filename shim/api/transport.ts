import {
	type DtlsParameters,
	type IceCredentials,
	isAnotherAssociation,
	type TransportParameters,
} from '../jsep/index.ts';
import type { Remote } from '../rpc/Remote.ts';
import type { Scope } from '../rpc/Scope.ts';
import type { CallIn, CallName, EventOut, ObjectIn } from '../rpc/types.ts';
import { constructorKey } from '../webidl/interface.ts';
import { queueTask } from '../webidl/task.ts';
import type { Certificate } from './certificate.ts';
import { RTCErrorEvent } from './events/RTCErrorEvent.ts';
import { RTCDtlsTransport } from './RTCDtlsTransport.ts';
import { RTCError } from './RTCError.ts';
import { RTCIceCandidate } from './RTCIceCandidate.ts';
import { RTCIceCandidatePair } from './RTCIceCandidatePair.ts';
import { RTCIceTransport } from './RTCIceTransport.ts';

export type IceRole = 'controlling' | 'controlled';
export type DtlsRole = 'client' | 'server';

/** The slots of an RTCIceTransport. */
export interface IceState {
	readonly object: RTCIceTransport;
	/** RTCP is always multiplexed with RTP. */
	readonly component: RTCIceComponent;
	handle: Remote<'IceTransport'> | null;
	role: IceRole | null;
	state: RTCIceTransportState;
	gatheringState: RTCIceGathererState;
	/** Credentials of the generation that gathers, and of the peer's. */
	local: IceCredentials | null;
	remote: (IceCredentials & { iceLite: boolean }) | null;
	localCandidates: RTCIceCandidate[];
	remoteCandidates: RTCIceCandidate[];
	endOfCandidates: boolean;
	selectedPair: RTCIceCandidatePair | null;
}

/** The slots of an RTCDtlsTransport. */
export interface DtlsState {
	readonly object: RTCDtlsTransport;
	readonly iceTransport: RTCIceTransport;
	handle: Remote<'DtlsTransport'> | null;
	role: DtlsRole | null;
	state: RTCDtlsTransportState;
	remoteCertificates: ArrayBuffer[];
}

export type IceServers = Pick<ObjectIn<'IceTransport'>, 'iceServers' | 'iceTransportPolicy'>;

/** What a transport needs of its connection, and tells it. */
export interface TransportOwner {
	readonly scope: Scope;
	readonly openTransports: Set<Transport>;
	readonly isClosed: boolean;
	/** Recomputes the connection's states; the names of the events that it then owes. */
	deriveStates(): string[];
	fire(events: readonly string[]): void;
	candidateFound(transport: Transport, found: EventOut<'IceTransport', 'candidate'>): void;
	candidateFailed(transport: Transport, failed: EventOut<'IceTransport', 'candidateerror'>): void;
	gatheringChanged(transport: Transport, state: RTCIceGathererState): void;
	/** The worker lost or refused the transport. */
	transportLost(error: Error): void;
}

/** One path to the peer: an ICE transport with the DTLS transport over it, shared by the sections of a BUNDLE group. */
export class Transport {
	readonly owner: TransportOwner;
	/** Of the section that owns it, which names its candidates. */
	mid: string;
	mlineIndex: number;
	readonly ice: IceState;
	readonly dtls: DtlsState;
	readonly #scope: Scope;
	/** What was gathered with other credentials than those now, by their username fragment. */
	readonly #generations = new Map<string, Pick<IceState, 'localCandidates' | 'endOfCandidates'>>();
	/** Credentials of both sides that the worker checks with; another pair restarts them. */
	#checking = '';
	/** What the worker shakes hands with. */
	#associated: DtlsParameters | null = null;
	/** Candidates of the peer that the worker has. */
	readonly #given = new Set<string>();

	constructor(owner: TransportOwner, mid: string, mlineIndex: number) {
		this.owner = owner;
		this.#scope = owner.scope.child();
		owner.openTransports.add(this);
		this.#scope.defer(() => owner.openTransports.delete(this));
		this.mid = mid;
		this.mlineIndex = mlineIndex;
		const ice: Omit<IceState, 'object'> = {
			component: 'rtp',
			handle: null,
			role: null,
			state: 'new',
			gatheringState: 'new',
			local: null,
			remote: null,
			localCandidates: [],
			remoteCandidates: [],
			endOfCandidates: false,
			selectedPair: null,
		};
		this.ice = withObject(ice, (state) => new RTCIceTransport(constructorKey, state));
		const dtls: Omit<DtlsState, 'object'> = {
			iceTransport: this.ice.object,
			handle: null,
			role: null,
			state: 'new',
			remoteCertificates: [],
		};
		this.dtls = withObject(dtls, (state) => new RTCDtlsTransport(constructorKey, state));
	}

	/** Whether we have closed it; the peer may have closed its side before. */
	get isClosed(): boolean {
		return this.#scope.isDisposed;
	}

	/** Makes the worker's objects and begins to gather; with other credentials than before, restarts ICE. */
	open(credentials: IceCredentials, role: IceRole, servers: IceServers, certificate: Certificate): void {
		if (this.isClosed || this.ice.local?.usernameFragment === credentials.usernameFragment) return;
		const { ice } = this;
		if (ice.local) this.#generations.set(ice.local.usernameFragment, { ...ice });
		// A restart that is rolled back goes on where it was.
		const { localCandidates = [], endOfCandidates = false } = this.#generations.get(credentials.usernameFragment) ?? {};
		Object.assign(ice, { local: credentials, localCandidates, endOfCandidates });
		if (endOfCandidates) ice.gatheringState = 'complete';
		if (ice.handle) {
			this.#tellIce('setConfiguration', servers);
			this.#tellIce('restart', credentials);
		} else {
			ice.role = role;
			this.#create(credentials, role, servers, certificate);
		}
		this.#tellIce('gather', {});
	}

	/** Begins or goes on with checks and handshake, once both descriptions have said what they need. */
	connect({ remote, candidates, endOfCandidates, dtls }: TransportParameters): void {
		if (!remote || !this.ice.handle || this.isClosed) return;
		const checking = `${this.ice.local?.usernameFragment} ${remote.usernameFragment} ${remote.password}`;
		if (checking !== this.#checking) {
			this.#checking = checking;
			this.#given.clear();
			this.ice.remote = remote;
			this.ice.remoteCandidates = [];
			this.#tellIce('start', remote);
		}
		for (const candidate of candidates) this.addRemoteCandidate(candidate, remote.usernameFragment);
		if (endOfCandidates) this.addRemoteCandidate(null, remote.usernameFragment);
		if (dtls) this.#handshake(dtls);
	}

	/**
	 * Gives the worker a candidate of the peer; null for the last.
	 * One that comes before connect() is kept by the remote description, which connect() takes it from.
	 */
	addRemoteCandidate(candidate: string | null, usernameFragment: string): void {
		if (!this.#checking || this.isClosed || this.ice.remote?.usernameFragment !== usernameFragment) return;
		const key = candidate ?? '';
		if (this.#given.has(key)) return;
		this.#given.add(key);
		if (candidate !== null) this.ice.remoteCandidates.push(this.candidate(candidate, usernameFragment));
		// A candidate that the worker cannot use is no reason to fail: another may do. A lost session says so itself.
		this.ice.handle?.call('addRemoteCandidate', { candidate, usernameFragment }).catch(() => {});
	}

	/** An RTCIceCandidate of this transport. */
	candidate(candidate: string, usernameFragment: string, url?: string | null): RTCIceCandidate {
		return new RTCIceCandidate({ candidate, sdpMid: this.mid, sdpMLineIndex: this.mlineIndex, usernameFragment, url });
	}

	/** The connection has closed, and its scope has ended both objects: pages hear nothing of it. */
	connectionClosed(): void {
		for (const state of [this.dtls, this.ice]) state.state = 'closed';
	}

	/** Ends both objects, which no section uses any more: pages hear of it in a task. */
	discard(): void {
		if (this.isClosed) return;
		// The peer has it from the description, and may not have read that yet: close_notify would overtake it.
		this.dtls.handle?.call('leave', {}).catch(() => {});
		this.#scope.dispose();
		queueTask(() => {
			for (const state of [this.dtls, this.ice]) {
				if (state.state === 'closed') continue;
				state.state = 'closed';
				if (!this.owner.isClosed) state.object.dispatchEvent(new Event('statechange'));
			}
		});
	}

	/** Says that the worker's objects are gone. */
	fail(): void {
		if (this.isClosed || this.dtls.state === 'failed') return;
		this.dtls.state = 'failed';
		this.ice.state = 'failed';
		const events = this.owner.deriveStates();
		this.ice.object.dispatchEvent(new Event('statechange'));
		this.dtls.object.dispatchEvent(new Event('statechange'));
		this.owner.fire(events);
	}

	#create(credentials: IceCredentials, role: IceRole, servers: IceServers, certificate: Certificate): void {
		const { owner, ice, dtls } = this;
		const iceHandle = this.#scope.create('IceTransport', { ...credentials, ...servers, role });
		const dtlsHandle = this.#scope.create('DtlsTransport', { ice: iceHandle, certificate: certificate.remote });
		ice.handle = iceHandle;
		dtls.handle = dtlsHandle;
		const refused = ({ message }: { message: string }): void =>
			owner.transportLost(new DOMException(message, 'OperationError'));
		iceHandle.onlost = (error) => owner.transportLost(error);
		dtlsHandle.onlost = (error) => owner.transportLost(error);
		iceHandle.on('error', refused);
		dtlsHandle.on('error', refused);
		iceHandle.on('candidate', (found) => owner.candidateFound(this, found));
		iceHandle.on('candidateerror', (failed) => owner.candidateFailed(this, failed));
		iceHandle.on('gatheringstatechange', ({ state }) => owner.gatheringChanged(this, state));
		iceHandle.on('statechange', (change) => this.#iceChanged(change));
		iceHandle.on('selectedpairchange', ({ selectedPair }) => this.#pairChanged(selectedPair));
		dtlsHandle.on('statechange', (change) => this.#dtlsChanged(change));
	}

	/** Begins the association; another peer gets another one, with the same objects, as in Chromium. */
	#handshake(parameters: DtlsParameters): void {
		if (this.#associated && !isAnotherAssociation(this.#associated, parameters)) return;
		this.#associated = parameters;
		const { role, fingerprints } = parameters;
		this.dtls.role = role;
		this.dtls.handle?.call('start', { role, fingerprints }).catch((error: Error) => this.owner.transportLost(error));
	}

	/** @see https://www.w3.org/TR/webrtc/#rtcicetransport, "change the selected candidate pair and state" */
	#iceChanged({ state, selectedPair }: EventOut<'IceTransport', 'statechange'>): void {
		// 2.
		if (this.owner.isClosed || this.isClosed) return;
		// 8.
		const pairChanged = selectedPair ? this.#select(selectedPair) : false;
		// 9.
		const stateChanged = this.ice.state !== state;
		this.ice.state = state;
		const events = this.owner.deriveStates();
		// 10. – 13.
		if (pairChanged) this.ice.object.dispatchEvent(new Event('selectedcandidatepairchange'));
		if (stateChanged) this.ice.object.dispatchEvent(new Event('statechange'));
		this.owner.fire(events);
	}

	#pairChanged(pair: { local: string; remote: string }): void {
		if (this.owner.isClosed || this.isClosed || !this.#select(pair)) return;
		this.ice.object.dispatchEvent(new Event('selectedcandidatepairchange'));
	}

	#select({ local, remote }: { local: string; remote: string }): boolean {
		const { ice } = this;
		if (ice.selectedPair?.local.candidate === local && ice.selectedPair.remote.candidate === remote) return false;
		ice.selectedPair = new RTCIceCandidatePair(
			constructorKey,
			this.#known(ice.localCandidates, local, ice.local),
			this.#known(ice.remoteCandidates, remote, ice.remote),
		);
		return true;
	}

	/** The object that pages have seen for a candidate; a peer-reflexive one is new to them. */
	#known(known: RTCIceCandidate[], candidate: string, credentials: IceCredentials | null): RTCIceCandidate {
		return (
			known.find((each) => each.candidate === candidate) ??
			this.candidate(candidate, credentials?.usernameFragment ?? '')
		);
	}

	/** @see https://www.w3.org/TR/webrtc/#rtcdtlstransport-interface */
	#dtlsChanged({ state, remoteCertificates, error }: EventOut<'DtlsTransport', 'statechange'>): void {
		if (this.owner.isClosed || this.isClosed || this.dtls.state === state) return;
		if (remoteCertificates) this.dtls.remoteCertificates = remoteCertificates.map(fromBase64);
		if (state === 'new') this.dtls.remoteCertificates = [];
		this.dtls.state = state;
		const events = this.owner.deriveStates();
		if (error) this.dtls.object.dispatchEvent(dtlsError(error));
		this.dtls.object.dispatchEvent(new Event('statechange'));
		this.owner.fire(events);
	}

	#tellIce<M extends CallName<'IceTransport'>>(name: M, params: CallIn<'IceTransport', M>): void {
		this.ice.handle?.call(name, params).catch((error: Error) => this.owner.transportLost(error));
	}
}

function withObject<T, O>(slots: T, make: (state: T & { object: O }) => O): T & { object: O } {
	const state = slots as T & { object: O };
	state.object = make(state);
	return state;
}

function dtlsError({ errorDetail, message }: { errorDetail: string; message: string }): RTCErrorEvent {
	const detail = errorDetail === 'fingerprint-failure' ? errorDetail : 'dtls-failure';
	return new RTCErrorEvent('error', { error: new RTCError({ errorDetail: detail }, message) });
}

function fromBase64(text: string): ArrayBuffer {
	return Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
}
