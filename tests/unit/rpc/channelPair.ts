/** Two data channels of one session, connected to each other over ICE, DTLS and SCTP, with neither SDP nor API. */

import type { Remote } from '../../../shim/rpc/Remote.ts';
import type { Session } from '../../../shim/rpc/Session.ts';

class Peer {
	readonly ice: Remote<'IceTransport'>;
	readonly dtls: Remote<'DtlsTransport'>;
	readonly sctp: Remote<'SctpTransport'>;
	readonly channel: Remote<'DataChannel'>;
	readonly fragment: string;
	readonly password: string;
	readonly fingerprints: Promise<{ algorithm: string; value: string }[]>;

	constructor(session: Session, name: string, role: 'controlling' | 'controlled') {
		this.fragment = `${name}${name}${name}${name}`;
		this.password = name.repeat(24);
		const certificate = session.create('Certificate', { algorithm: 'ECDSA' });
		this.fingerprints = new Promise((resolve) => {
			certificate.on('ready', ({ fingerprints }) => resolve(fingerprints));
		});
		const credentials = { usernameFragment: this.fragment, password: this.password };
		this.ice = session.create('IceTransport', { ...credentials, iceServers: [], iceTransportPolicy: 'all', role });
		this.dtls = session.create('DtlsTransport', { ice: this.ice, certificate });
		this.sctp = session.create('SctpTransport', { dtls: this.dtls });
		const negotiated = { negotiated: true, streamId: 0 };
		this.channel = session.create('DataChannel', { transport: this.sctp, label: 'pair', ...negotiated });
	}

	async connect(other: Peer, role: 'client' | 'server'): Promise<void> {
		const opened = new Promise<void>((resolve, reject) => {
			this.channel.on('open', () => resolve());
			this.channel.onlost = reject;
		});
		this.ice.on('candidate', ({ candidate }) => void other.ice.call('addRemoteCandidate', { candidate }));
		void this.ice.call('gather', {});
		void this.ice.call('start', { usernameFragment: other.fragment, password: other.password });
		void this.dtls.call('start', { role, fingerprints: await other.fingerprints });
		void this.sctp.call('start', { remotePort: 5000, maxMessageSize: 262144 });
		await opened;
	}
}

/** Resolves when both are open. */
export async function connectPair(session: Session): Promise<[Remote<'DataChannel'>, Remote<'DataChannel'>]> {
	const [one, other] = [new Peer(session, 'a', 'controlling'), new Peer(session, 'b', 'controlled')];
	await Promise.all([one.connect(other, 'client'), other.connect(one, 'server')]);
	return [one.channel, other.channel];
}
