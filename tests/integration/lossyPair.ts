/** Two connections whose datagrams pass a relay that loses some and holds others back. */

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { gathered, makePair, type Pair } from './pcPair.ts';

export interface Weather {
	/** Share of the datagrams that are lost, and of those that others overtake; STUN is spared. */
	loss: number;
	late: number;
	/** Milliseconds that a late one takes at most. */
	delay: number;
	/** Bytes of the longest datagram that passes; Ethernet's unless given. */
	longest?: number;
}

export interface LossyPair extends Pair {
	weather: Weather;
	/** Datagrams that were lost, and held back. */
	lost: number;
	late: number;
}

interface Address {
	address: string;
	port: number;
}

/** Bytes of a datagram that fits into a packet of 1,500. */
const ETHERNET = 1472;

const CANDIDATE = /^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host.*$/im;

/** Offer and answer, each with one candidate: the relay's. */
export async function makeLossyPair(weather: Weather, prepare: (pair: Pair) => void): Promise<LossyPair> {
	const pair = makePair({ trickle: false });
	const [toOfferer, toAnswerer] = await Promise.all([socket(), socket()]);
	const lossy: LossyPair = {
		...pair,
		weather,
		lost: 0,
		late: 0,
		close() {
			pair.close();
			for (const each of [toOfferer, toAnswerer]) each.close();
		},
	};
	prepare(pair);
	await pair.offerer.setLocalDescription();
	await gathered(pair.offerer);
	const offer = pair.offerer.localDescription!;
	await pair.answerer.setRemoteDescription({ type: 'offer', sdp: through(offer.sdp, toOfferer) });
	await pair.answerer.setLocalDescription();
	await gathered(pair.answerer);
	const answer = pair.answerer.localDescription!;
	// What the answerer sends to "the offerer" leaves by the socket that the offerer knows as the answerer.
	relay(lossy, toOfferer, toAnswerer, candidate(offer.sdp));
	relay(lossy, toAnswerer, toOfferer, candidate(answer.sdp));
	await pair.offerer.setRemoteDescription({ type: 'answer', sdp: through(answer.sdp, toAnswerer) });
	return lossy;
}

/** Repeatable, as a test should be. */
export function randomness(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	};
}

function relay(lossy: LossyPair, from: Socket, out: Socket, target: Address): void {
	const random = randomness(target.port);
	const forward = (datagram: Buffer) => {
		try {
			out.send(datagram, target.port, target.address);
		} catch {
			// The pair was closed while this one was late.
		}
	};
	from.on('message', (datagram) => {
		const { loss, late, delay, longest = ETHERNET } = lossy.weather;
		if (datagram.length > longest) return;
		const chance = datagram[0]! < 4 ? 1 : random();
		if (chance < loss) lossy.lost += 1;
		else if (chance < loss + late) {
			lossy.late += 1;
			setTimeout(forward, random() * delay, datagram);
		} else forward(datagram);
	});
}

async function socket(): Promise<Socket> {
	const bound = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
	bound.on('error', () => {});
	bound.bind(0);
	await once(bound, 'listening');
	return bound;
}

function candidate(sdp: string): Address {
	const [, address, port] = CANDIDATE.exec(sdp)!;
	return { address: address!, port: Number(port) };
}

/** A description with the relay's port as its only candidate, at the address of the first. */
function through(sdp: string, relayed: Socket): string {
	const { address, port } = candidate(sdp);
	const line = CANDIDATE.exec(sdp)![0].replace(` ${address} ${port} `, ` ${address} ${relayed.address().port} `);
	const rest = sdp.split('\r\n').filter((each) => !each.startsWith('a=candidate:'));
	const end = rest.findIndex((each) => each.startsWith('a=end-of-candidates'));
	rest.splice(end < 0 ? rest.length - 1 : end, 0, line);
	return rest.join('\r\n');
}
