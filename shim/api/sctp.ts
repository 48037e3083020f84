import type { SctpParameters } from '../jsep/index.ts';
import type { Remote } from '../rpc/Remote.ts';
import type { Scope } from '../rpc/Scope.ts';
import type { EventOut } from '../rpc/types.ts';
import { constructorKey } from '../webidl/interface.ts';
import { RTCSctpTransport } from './RTCSctpTransport.ts';
import type { Transport } from './transport.ts';

/** The port that our descriptions name; nothing listens on it but the association. */
export const SCTP_PORT = 5000;

/** Streams that an association may have at most. */
const MAX_CHANNELS = 65_535;

/** What an association tells its connection. */
export interface SctpOwner {
	readonly scope: Scope;
	readonly isClosed: boolean;
	sctpConnected(): void;
	channelOffered(offered: EventOut<'SctpTransport', 'datachannel'>): void;
	transportLost(error: Error): void;
}

/** The slots of an RTCSctpTransport. @see https://www.w3.org/TR/webrtc/#dfn-create-an-rtcsctptransport */
export class SctpState {
	readonly object: RTCSctpTransport;
	/** Of the association and its channels. */
	readonly scope: Scope;
	readonly #owner: SctpOwner;
	transport: Transport;
	state: RTCSctpTransportState = 'connecting';
	/** Bytes that the peer accepts in one message; Infinity is no limit, null not negotiated. */
	maxMessageSize: number | null = null;
	maxChannels: number | null = null;
	#handle: Remote<'SctpTransport'> | null = null;
	/** What the worker's association runs over. */
	#over: Remote<'DtlsTransport'> | null = null;

	constructor(owner: SctpOwner, transport: Transport) {
		this.#owner = owner;
		this.scope = owner.scope.child();
		this.transport = transport;
		this.object = new RTCSctpTransport(constructorKey, this);
	}

	get handle(): Remote<'SctpTransport'> | null {
		return this.#handle;
	}

	/** The first identifier that channels of ours may have, once the DTLS role says so. */
	get firstStream(): 0 | 1 | null {
		const { role } = this.transport.dtls;
		if (role === null) return null;
		return role === 'client' ? 0 : 1;
	}

	/** One above the greatest identifier that a channel may have. */
	get streamLimit(): number {
		return this.maxChannels ?? MAX_CHANNELS;
	}

	/**
	 * Takes what negotiation came to, and makes the association at the first time.
	 * @see https://www.w3.org/TR/webrtc/#dfn-update-the-data-max-message-size
	 */
	negotiate({ port, remotePort, maxMessageSize }: SctpParameters): void {
		// We can send messages of any size: canSendSize is 0.
		this.maxMessageSize = maxMessageSize === 0 ? Number.POSITIVE_INFINITY : maxMessageSize;
		const dtls = this.transport.dtls.handle;
		// What the peer has ended begins again with another peer; what we have closed does not.
		if (!dtls || this.scope.isDisposed) return;
		this.#handle ??= this.#create(dtls, port);
		// An answer may bundle what had a transport of its own until then.
		if (this.#over !== dtls)
			this.#handle.call('move', { dtls }).catch((error: Error) => this.#owner.transportLost(error));
		this.#over = dtls;
		// Called again, it takes the new limit.
		this.#handle
			.call('start', { remotePort, maxMessageSize })
			.catch((error: Error) => this.#owner.transportLost(error));
	}

	/** @param silent whether pages hear nothing of it, as when their connection closes */
	close(silent: boolean): void {
		this.scope.dispose();
		this.#handle = null;
		if (this.state === 'closed') return;
		this.state = 'closed';
		if (!silent) this.object.dispatchEvent(new Event('statechange'));
	}

	#create(dtls: Remote<'DtlsTransport'>, port: number): Remote<'SctpTransport'> {
		const handle = this.scope.create('SctpTransport', { dtls, port });
		this.#over = dtls;
		handle.onlost = (error) => this.#owner.transportLost(error);
		handle.on('error', ({ message }) => this.#owner.transportLost(new DOMException(message, 'OperationError')));
		handle.on('statechange', (change) => this.#changed(change));
		handle.on('datachannel', (offered) => this.#owner.channelOffered(offered));
		return handle;
	}

	#changed({ state, maxChannels }: EventOut<'SctpTransport', 'statechange'>): void {
		if (this.#owner.isClosed || this.state === state) return;
		this.state = state;
		// @see https://www.w3.org/TR/webrtc/#sctp-transport-connected, 3. – 5.
		if (state === 'connected') {
			this.maxChannels = maxChannels ?? MAX_CHANNELS;
			this.#owner.sctpConnected();
		}
		// When it closes, the worker says of each channel why.
		this.object.dispatchEvent(new Event('statechange'));
	}
}
