import type { types } from 'mediasoup';
import type { Events, Found, PeerInfo } from '../signalling.ts';
import { LIMITS } from './limits.ts';
import { Peer, type Tell } from './Peer.ts';

/** Peers that see and hear each other. */
export class Room {
	readonly #router: types.Router;
	readonly #server: types.WebRtcServer;
	readonly #peers = new Map<string, Peer>();
	/** Those that have entered. */
	readonly #present = new Set<Peer>();
	readonly #onempty: () => void;

	constructor(router: types.Router, server: types.WebRtcServer, onempty: () => void) {
		this.#router = router;
		this.#server = server;
		this.#onempty = onempty;
	}

	get rtpCapabilities(): types.RtpCapabilities {
		return this.#router.rtpCapabilities;
	}

	/**
	 * Makes room for a peer, unseen until it enters.
	 *
	 * @param tell sends an event to this peer
	 * @throws {Error} the room is full
	 */
	admit(info: PeerInfo, tell: Tell): Peer {
		if (this.#peers.size >= LIMITS.peersInRoom) throw new Error(`the room is full: ${LIMITS.peersInRoom} peers`);
		const peer = new Peer(info, this.#router, this.#server, {
			tell,
			tellOthers: (event, message) => this.#tellOthers(peer, event, message),
			tellOwner: (dataProducerId, event, message) => this.#ownerOf(dataProducerId)?.tell(event, message),
			enter: () => this.#enter(peer),
		});
		this.#peers.set(info.id, peer);
		return peer;
	}

	#enter(peer: Peer): Found {
		const others = this.#othersOf(peer);
		if (!this.#present.has(peer)) this.#tellOthers(peer, 'peerJoined', peer.info);
		this.#present.add(peer);
		return {
			peers: others.map((other) => other.info),
			media: others.flatMap((other) => other.media()),
			channels: others.flatMap((other) => other.channels()),
		};
	}

	/** Ends all that the peer has; the last one to leave ends the room. */
	leave(peer: Peer): void {
		if (!this.#peers.delete(peer.info.id)) return;
		peer.close();
		if (this.#present.delete(peer)) this.#tellOthers(peer, 'peerLeft', { peerId: peer.info.id });
		if (this.#peers.size > 0) return;
		this.#router.close();
		this.#onempty();
	}

	#tellOthers<E extends keyof Events>(sender: Peer, event: E, message: Events[E]): void {
		for (const peer of this.#othersOf(sender)) peer.tell(event, message);
	}

	#othersOf(peer: Peer): Peer[] {
		return [...this.#present].filter((other) => other !== peer);
	}

	#ownerOf(dataProducerId: string): Peer | undefined {
		return [...this.#peers.values()].find((peer) => peer.ownsChannel(dataProducerId));
	}
}
