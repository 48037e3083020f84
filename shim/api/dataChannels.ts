import type { EventOut } from '../rpc/types.ts';
import { boolean, defaulted, dictionary, optional, unsignedShortEnforced, usvString } from '../webidl/convert.ts';
import type { Connection } from './connection.ts';
import { DataChannel, type DataChannelInit } from './dataChannel.ts';
import { RTCDataChannelEvent } from './events/RTCDataChannelEvent.ts';
import { updateNegotiationNeeded } from './negotiationNeeded.ts';

const MAX_TEXT = 65_535;
const MAX_ID = 65_534;

export const toDataChannelInit = dictionary({
	id: optional(unsignedShortEnforced),
	maxPacketLifeTime: optional(unsignedShortEnforced),
	maxRetransmits: optional(unsignedShortEnforced),
	negotiated: defaulted(boolean, () => false),
	ordered: defaulted(boolean, () => true),
	protocol: defaulted(usvString, () => ''),
});

/**
 * Makes a channel of ours, which the worker gets as soon as there is an association.
 *
 * @throws {TypeError} label or protocol is too long, id or reliability is out of its range or twice
 * @throws {OperationError} the id is taken, or none is left
 * @see https://www.w3.org/TR/webrtc/#dom-peerconnection-createdatachannel
 */
export function createDataChannel(
	connection: Connection,
	label: string,
	options: ReturnType<typeof toDataChannelInit>,
): DataChannel {
	const { id = null, maxPacketLifeTime = null, maxRetransmits = null, negotiated, ordered, protocol } = options;
	// 5. – 17.
	requireShort('label', label);
	requireShort('protocol', protocol);
	if (negotiated && id === null) throw new TypeError('negotiated needs an id');
	if (maxPacketLifeTime !== null && maxRetransmits !== null) {
		throw new TypeError('maxPacketLifeTime and maxRetransmits exclude each other');
	}
	if (negotiated && id! > MAX_ID) throw new TypeError(`id is ${id}; at most ${MAX_ID}`);
	// 18.
	const stream = negotiated ? id : freeStream(connection);
	if (stream !== null && connection.streams.has(stream)) {
		throw new DOMException(`id ${stream} is in use`, 'OperationError');
	}
	const init = { label, protocol, ordered, maxPacketLifeTime, maxRetransmits, negotiated };
	const channel = new DataChannel(connection, init, stream);
	if (stream !== null) connection.streams.set(stream, channel);
	// 20. – 21.
	if (!connection.createdDataChannel) {
		connection.createdDataChannel = true;
		updateNegotiationNeeded(connection);
	}
	connection.dataChannels.add(channel);
	// 23.
	attach(connection, channel, false);
	return channel;
}

/**
 * Gives identifiers to the channels that wait for the DTLS role; those that get none.
 * @see https://www.w3.org/TR/webrtc/#set-description, 4.6.10.2
 */
export function assignStreams(connection: Connection): DataChannel[] {
	const failed: DataChannel[] = [];
	for (const channel of connection.dataChannels) {
		if (channel.id !== null) continue;
		try {
			channel.id = freeStream(connection);
		} catch {
			failed.push(channel);
			continue;
		}
		if (channel.id !== null) connection.streams.set(channel.id, channel);
	}
	return failed;
}

/** Gives the worker the channels that were made before there was an association. */
export function attachChannels(connection: Connection): void {
	for (const channel of connection.dataChannels) attach(connection, channel, false);
}

/**
 * The association is up: channels with an identifier that it has not fail; the worker opens the others.
 * @see https://www.w3.org/TR/webrtc/#sctp-transport-connected
 */
export function openChannels(connection: Connection): void {
	const limit = connection.sctp?.streamLimit ?? 0;
	for (const channel of [...connection.dataChannels]) {
		if ((channel.id ?? 0) >= limit) channel.failed(`id ${channel.id}; the peer takes ids below ${limit}`);
	}
}

/** The peer made a channel. @see https://www.w3.org/TR/webrtc/#dfn-an-underlying-data-transport-is-to-be-announced */
export function acceptChannel(connection: Connection, offered: EventOut<'SctpTransport', 'datachannel'>): void {
	const { streamId, label, protocol, ordered, maxPacketLifeTime = null, maxRetransmits = null } = offered;
	if (connection.streams.has(streamId)) return;
	// 3. – 7.
	const init: DataChannelInit = { label, protocol, ordered, maxPacketLifeTime, maxRetransmits, negotiated: false };
	const channel = new DataChannel(connection, init, streamId);
	connection.dataChannels.add(channel);
	connection.streams.set(streamId, channel);
	attach(connection, channel, true);
	// 8. – 10.
	channel.announceAccepted(() => {
		const event = new RTCDataChannelEvent('datachannel', { channel: channel.object });
		connection.target.dispatchEvent(event);
	});
}

function attach(connection: Connection, channel: DataChannel, accept: boolean): void {
	const { sctp } = connection;
	if (!sctp?.handle || channel.handle || channel.id === null || channel.readyState === 'closed') return;
	const { init, id } = channel;
	channel.attach(sctp.scope.create('DataChannel', { ...init, transport: sctp.handle, streamId: id, accept }));
}

/**
 * The lowest free identifier of our parity; null while the DTLS role is not known.
 * @see https://www.rfc-editor.org/rfc/rfc8832#section-6
 */
function freeStream({ sctp, streams }: Connection): number | null {
	const first = sctp?.firstStream ?? null;
	if (first === null || !sctp) return null;
	for (let stream: number = first; stream < Math.min(sctp.streamLimit, MAX_ID + 1); stream += 2) {
		if (!streams.has(stream)) return stream;
	}
	throw new DOMException(`All ${Math.floor(sctp.streamLimit / 2)} ids are in use`, 'OperationError');
}

function requireShort(name: string, text: string): void {
	const bytes = new TextEncoder().encode(text).byteLength;
	if (bytes > MAX_TEXT) throw new TypeError(`${name} has ${bytes} bytes; at most ${MAX_TEXT}`);
}
