import { interpretMedia, type MediaParameters } from '../jsep/index.ts';
import type { Connection } from './connection.ts';
import type { Transceiver } from './transceiver.ts';
import { sectionOf } from './transports.ts';

/** Tells senders and receivers what the two descriptions agreed on. */
export function negotiateMedia(connection: Connection, answerer: 'local' | 'remote'): void {
	for (const transceiver of connection.transceivers) {
		const transport = transceiver.mid === null ? undefined : connection.transports.get(transceiver.mid);
		if (!transport || transceiver.stopped) continue;
		const parameters = agreed(connection, transceiver, answerer);
		if (!parameters) continue;
		const { sender, receiver } = transceiver;
		sender.codecs = parameters.sendCodecs;
		sender.lastReturned = null;
		transceiver.negotiatedExtensions = parameters.headerExtensions;
		receiver.codecs = parameters.receive.active ? parameters.receiveCodecs : [];
		sender.negotiate(parameters.send, transport);
		receiver.negotiate(parameters.receive, transport);
		if (transceiver.stopping) {
			sender.pause();
			receiver.pause();
		}
	}
}

function agreed(
	connection: Connection,
	transceiver: Transceiver,
	answerer: 'local' | 'remote',
): MediaParameters | null {
	const local = sectionOf(connection.local?.description, transceiver.mid!);
	const remote = sectionOf(connection.remote?.description, transceiver.mid!);
	if (!local || !remote || local.rejected || remote.rejected) return null;
	const interpret = (): MediaParameters => interpretMedia(local, remote, answerer, transceiver.record);
	const first = interpret();
	// What is not sent now may be sent again, with the same layers.
	if (transceiver.sender.encodings.length < 2 || !first.send.active) return first;
	// 11.1.7.1, 11.2.8: layers that the peer does not take are gone for good.
	transceiver.sender.keepLayers(first.sendRids?.map(({ rid }) => rid) ?? []);
	return interpret();
}
