/** What two PeerJS do together in Node; the library is loaded by the test, in the realm that it wants to try. */
import * as assert from 'uvu/assert';
import { NodeSide, nothingIsLeft, streamOf } from './NodeSide.ts';
import { PeerJsCall, type PeerJsClass, type Serialization } from './PeerJsCall.ts';
import { converse, hangUp, type Media } from './Side.ts';

export const ALICE: Media = { code: 21, tone: 550 };
export const BOB: Media = { code: 22, tone: 750 };

export async function callEachOther(Peer: PeerJsClass, port: number, serialization: Serialization): Promise<void> {
	const [alice, bob] = [await register(Peer, 'alice', port, ALICE), await register(Peer, 'bob', port, BOB)];
	try {
		alice.call.dial('bob', serialization);
		await converse(alice, bob);
		await hangUp(bob, alice);
		assert.equal([alice.call.received.length, bob.call.received.length], [8, 8]);
	} finally {
		alice.call.destroy();
		bob.call.destroy();
	}
	await nothingIsLeft();
}

export async function register(
	Peer: PeerJsClass,
	id: string,
	port: number,
	sends: Media,
): Promise<NodeSide<PeerJsCall>> {
	const call = new PeerJsCall(Peer, id, port, await streamOf(sends));
	await call.register();
	return new NodeSide(call, sends);
}
