/** A peer that is replaced by another in a later exchange: another certificate, so another DTLS association. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { RTCDataChannel, RTCPeerConnection } from '../../shim/api/index.ts';
import { connected, gathered, next, opened, record, shim, until } from './pcPair.ts';

const size = { width: 160, height: 120 };
const AGREED = { negotiated: true, id: 100 } as const;

interface Side {
	connection: RTCPeerConnection;
	stream: Awaited<ReturnType<typeof shim.mediaDevices.getUserMedia>>;
	/** Made by both. */
	agreed: RTCDataChannel;
	/** Made by the other, by label. */
	incoming: Map<string, RTCDataChannel>;
	/** What came over all channels. */
	messages: string[];
}

const sides: Side[] = [];
test.after.each(() => end(...sides.splice(0)));

async function makeSide(): Promise<Side> {
	const connection = new shim.RTCPeerConnection();
	const stream = await shim.mediaDevices.getUserMedia({ audio: true, video: size });
	for (const track of stream.getTracks()) connection.addTrack(track, stream);
	const agreed = connection.createDataChannel('agreed', AGREED);
	const side: Side = { connection, stream, agreed, incoming: new Map(), messages: [] };
	sides.push(side);
	listen(side, agreed);
	connection.addEventListener('datachannel', ({ channel }) => {
		side.incoming.set(channel.label, channel as never);
		listen(side, channel as never);
	});
	return side;
}

function listen({ messages }: Side, channel: RTCDataChannel): void {
	channel.addEventListener('message', ({ data }) => messages.push(`${channel.label}: ${data}`));
}

/** One exchange, whose descriptions have the candidates; the answerer may read the offer edited. */
async function exchange(
	{ connection: offerer }: Side,
	{ connection: answerer }: Side,
	edit = (sdp: string) => sdp,
): Promise<void> {
	await offerer.setLocalDescription();
	await gathered(offerer);
	await answerer.setRemoteDescription({ type: 'offer', sdp: edit(offerer.localDescription!.sdp) });
	await answerer.setLocalDescription();
	await gathered(answerer);
	await offerer.setRemoteDescription(answerer.localDescription!);
}

async function flows({ connection }: Side): Promise<void> {
	for (const kind of ['audio', 'video']) {
		const packets = async () => {
			const stats = [...(await connection.getStats()).values()];
			const inbound = stats.filter((each) => each.type === 'inbound-rtp' && each.kind === kind);
			return inbound.reduce((sum, { packetsReceived }) => sum + Number(packetsReceived), 0);
		};
		const before = await packets();
		await until(`${kind} flows`, async () => (await packets()) > before + 5);
	}
}

async function says(from: RTCDataChannel, to: Side, text: string): Promise<void> {
	from.send(text);
	await until(`${from.label}: ${text}`, () => to.messages.includes(`${from.label}: ${text}`));
}

function end(...ended: Side[]): void {
	for (const { connection, stream } of ended) {
		for (const track of stream.getTracks()) track.stop();
		connection.close();
	}
}

for (const [how, restarts, offererIsNew] of [
	['answers an offer that restarts ICE', true, false],
	['answers an offer that restarts nothing', false, false],
	['offers', false, true],
] as const) {
	test(`media and channels go on with another peer that ${how}`, async () => {
		const [a, b, c] = [await makeSide(), await makeSide(), await makeSide()];
		const announced = a.connection.createDataChannel('announced', { ordered: false });
		listen(a, announced);
		const theirs = b.connection.createDataChannel('of b');
		await exchange(a, b);
		await connected(a.connection, b.connection);
		await Promise.all([a.agreed, announced, theirs].map(opened));
		await says(announced, b, 'hello b');
		await until('the channel of b', () => a.incoming.has('of b'));
		await flows(a);
		const { transport: dtls } = a.connection.getSenders()[0]!;
		const { sctp } = a.connection;
		const certificate = Buffer.from(dtls!.getRemoteCertificates()[0]!).toString('hex');
		const [dtlsStates, sctpStates, states]: string[][] = [[], [], []];
		dtls!.onstatechange = () => dtlsStates!.push(dtls!.state);
		sctp!.onstatechange = () => sctpStates!.push(sctp!.state);
		a.connection.onconnectionstatechange = () => states!.push(a.connection.connectionState);
		const orphaned = record(a.incoming.get('of b')!, 'error', 'close');

		if (restarts) a.connection.restartIce();
		const ofC = c.connection.createDataChannel('of c');
		listen(c, ofC);
		await (offererIsNew ? exchange(c, a) : exchange(a, c));
		await until('connected anew', () => states!.at(-1) === 'connected');
		await connected(c.connection);
		await until('the association anew', () => sctpStates!.at(-1) === 'connected');
		assert.equal(dtlsStates, ['new', 'connecting', 'connected']);
		assert.equal(sctpStates, ['connecting', 'connected']);
		assert.equal(states, ['connecting', 'connected']);
		assert.is(a.connection.getSenders()[0]!.transport, dtls);
		assert.is(a.connection.sctp, sctp);
		assert.is.not(Buffer.from(dtls!.getRemoteCertificates()[0]!).toString('hex'), certificate);
		await flows(a);
		await flows(c);
		await says(a.agreed, c, 'over what was agreed');
		await says(c.agreed, a, 'and back');
		await until('a channel of a', () => c.incoming.has('announced'));
		await says(announced, c, 'over what is announced again');
		await says(c.incoming.get('announced')!, a, 'and back in band');
		await until('a channel of c', () => a.incoming.has('of c'));
		await says(a.incoming.get('of c')!, c, 'over what c has opened');
		assert.equal(orphaned, ['error', 'close']);
		assert.is(a.agreed.bufferedAmount + announced.bufferedAmount, 0);
	});
}

test('another peer may bundle what the one before did not', async () => {
	const [a, b, c] = [await makeSide(), await makeSide(), await makeSide()];
	await exchange(a, b, (sdp) => sdp.replace(/a=group:BUNDLE.*\r\n/, ''));
	await opened(a.agreed);
	a.connection.restartIce();
	await exchange(a, c);
	await opened(c.agreed);
	await says(a.agreed, c, 'to c');
	await says(c.agreed, a, 'to a');
	await flows(a);
	assert.is(a.connection.sctp!.transport, a.connection.getSenders()[0]!.transport);
});

test('a peer that has closed and comes again as another gets media and new channels; the old ones are closed', async () => {
	const [a, b, c] = [await makeSide(), await makeSide(), await makeSide()];
	await exchange(a, b);
	await opened(a.agreed);
	end(b);
	await next(a.agreed, 'close');
	assert.is(a.connection.sctp!.state, 'closed');
	a.connection.restartIce();
	await exchange(a, c);
	await connected(a.connection, c.connection);
	await flows(a);
	await until('an association', () => a.connection.sctp!.state === 'connected');
	const later = a.connection.createDataChannel('later');
	await opened(later);
	await says(later, c, 'to c');
});

test('an exchange with the same certificate leaves the association, whatever role or credentials it has', async () => {
	const [a, b] = [await makeSide(), await makeSide()];
	await exchange(a, b);
	await Promise.all([opened(a.agreed), connected(a.connection, b.connection)]);
	const changes = [a, b].map(({ connection }) => record(connection.getSenders()[0]!.transport!, 'statechange'));
	await exchange(a, b);
	await exchange(b, a);
	b.connection.restartIce();
	await exchange(b, a);
	await flows(a);
	await says(a.agreed, b, 'still');
	assert.equal(changes, [[], []]);
});

test('a peer of another certificate than it has said fails, and the right one mends it', async () => {
	const [a, b, c] = [await makeSide(), await makeSide(), await makeSide()];
	await exchange(a, b);
	await opened(a.agreed);
	const dtls = a.connection.getSenders()[0]!.transport!;
	a.connection.restartIce();
	await a.connection.setLocalDescription();
	await gathered(a.connection);
	await c.connection.setRemoteDescription(a.connection.localDescription!);
	await c.connection.setLocalDescription();
	await gathered(c.connection);
	const { sdp } = c.connection.localDescription!;
	const failed = next(dtls, 'error');
	const closed = next(a.agreed, 'close');
	await a.connection.setRemoteDescription({
		type: 'answer',
		sdp: sdp.replaceAll(/(a=fingerprint:sha-256) ..:..:/g, '$1 00:00:'),
	});
	await failed;
	await closed;
	assert.is(a.connection.connectionState, 'failed');
	const d = await makeSide();
	await exchange(a, d);
	await connected(a.connection, d.connection);
	await flows(a);
});

test.run();
