/** What one peer, one room and the whole SFU may use. */
export const LIMITS = {
	rooms: 16,
	peersInRoom: 8,
	/** One to send, one to receive, and one of each while they are replaced. */
	transportsOfPeer: 4,
	producersOfPeer: 8,
	dataProducersOfPeer: 8,
	/** Bytes of one request; an offer's RTP parameters are some 5 KB. */
	requestBytes: 64 * 1024,
	/** Requests a second, averaged over `requestBurst` of them. */
	requestRate: 50,
	requestBurst: 200,
	/** Characters of a room's, a peer's or a channel's name. */
	nameLength: 64,
	/** Bytes of one channel message. */
	messageBytes: 256 * 1024,
} as const;
