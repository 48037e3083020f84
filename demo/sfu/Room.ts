import type { types } from 'mediasoup';
import type { Events, Joined, PeerInfo } from '../signalling.ts';
import { LIMITS } from './limits.ts';
import { Peer, type Tell } from './Peer.ts';

/** Peers that see and hear each other. */
export class Room {
	readonly #router: types.Router;
	readonly #server: types.WebRtcServer;
	readonly #peers = new Map<string, Peer>();
	readonly #onempty: () => void;

	constructor(router: types.Router, server: types.WebRtcServer, onempty: () => void) {
		this.#router = router;
		this.#server = server;
		this.#onempty = onempty;
	}

	/**
	 * Lets a peer in and tells the others.
	 *
	 * @param tell sends an event to this peer
	 * @throws {Error} the room is full
	 */
	join(info: PeerInfo, tell: Tell): { peer: Peer; joined: Joined } {
		if (this.#peers.size >= LIMITS.peersInRoom) throw new Error(`the room is full: ${LIMITS.peersInRoom} peers`);
		const others = [...this.#peers.values()];
		const peer = new Peer(info, this.#router, this.#server, {
			tell,
			tellOthers: (event, message) => this.#tellOthers(peer, event, message),
			tellOwner: (dataProducerId, event, message) => this.#ownerOf(dataProducerId)?.tell(event, message),
		});
		this.#peers.set(info.id, peer);
		this.#tellOthers(peer, 'peerJoined', info);
		return {
			peer,
			joined: {
				peerId: info.id,
				routerRtpCapabilities: this.#router.rtpCapabilities as Joined['routerRtpCapabilities'],
				peers: others.map((other) => other.info),
				media: others.flatMap((other) => other.media()),
				channels: others.flatMap((other) => other.channels()),
			},
		};
	}

	/** Ends all that the peer has; the last one to leave ends the room. */
	leave(peer: Peer): void {
		if (!this.#peers.delete(peer.info.id)) return;
		peer.close();
		this.#tellOthers(peer, 'peerLeft', { peerId: peer.info.id });
		if (this.#peers.size > 0) return;
		this.#router.close();
		this.#onempty();
	}

	#tellOthers<E extends keyof Events>(sender: Peer, event: E, message: Events[E]): void {
		for (const peer of this.#peers.values()) {
			if (peer !== sender) peer.tell(event, message);
		}
	}

	#ownerOf(dataProducerId: string): Peer | undefined {
		return [...this.#peers.values()].find((peer) => peer.ownsChannel(dataProducerId));
	}
}
