/** What becomes of a sender's layers when descriptions ask for some, or for none. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { RTCPeerConnection } from '../../../shim/api/index.ts';
import { bindContext } from '../../../shim/rpc/context.ts';
import { FakeSession } from './fakeSession.ts';

function connect(): RTCPeerConnection {
	const { session } = new FakeSession();
	return new (bindContext(RTCPeerConnection, { session: () => session }))();
}

/** An offer, or an answer, that takes these layers of each section. */
function asking(sdp: string, rids: readonly string[]): string {
	const names = [...new Set(rids)];
	const lines = [...names.map((rid) => `a=rid:${rid} recv`), `a=simulcast:recv ${rids.join(';')}`];
	return sdp
		.replace(/a=(rid|simulcast):.*\r\n/g, '')
		.replace(/a=mid:.*\r\n/g, (mid) => `${mid}${lines.join('\r\n')}\r\n`);
}

async function offerTo(peer: RTCPeerConnection, kind: 'audio' | 'video', rids: readonly string[]): Promise<void> {
	const offerer = connect();
	offerer.addTransceiver(kind);
	await peer.setRemoteDescription({ type: 'offer', sdp: asking((await offerer.createOffer()).sdp!, rids) });
	offerer.close();
}

const ridsOf = (sender: RTCRtpSender): (string | undefined)[] => sender.getParameters().encodings.map(({ rid }) => rid);

/** A sender of two layers, which its peer takes, and what negotiates again. */
async function layered() {
	const [ours, theirs] = [connect(), connect()];
	const { sender } = ours.addTransceiver('video', { sendEncodings: [{ rid: 'lo' }, { rid: 'hi' }] });
	const exchange = async (): Promise<void> => {
		await ours.setLocalDescription();
		await theirs.setRemoteDescription(ours.localDescription!);
		await theirs.setLocalDescription();
		await ours.setRemoteDescription(theirs.localDescription!);
	};
	await exchange();
	const close = (): void => {
		ours.close();
		theirs.close();
	};
	return { ours, theirs, sender, exchange, close };
}

test('a remote offer asks for layers of video, each once, and not for layers of audio', async () => {
	const peer = connect();
	await offerTo(peer, 'video', ['lo', 'hi', 'lo']);
	assert.equal(ridsOf(peer.getSenders()[0]!), ['lo', 'hi']);
	peer.close();
	const other = connect();
	await offerTo(other, 'audio', ['lo', 'hi']);
	assert.equal(ridsOf(other.getSenders()[0]!), [undefined]);
	other.close();
});

test('rolling an offer back leaves the sender that it made without layers', async () => {
	const peer = connect();
	await offerTo(peer, 'video', ['lo', 'hi']);
	const [sender] = peer.getSenders();
	peer.getTransceivers()[0]!.direction = 'sendrecv';
	const kept = peer.addTransceiver('video', { sendEncodings: [{ rid: 'a' }, { rid: 'b' }] });
	await peer.setRemoteDescription({ type: 'rollback', sdp: '' });
	assert.equal(ridsOf(sender!), [undefined]);
	assert.equal(ridsOf(kept.sender), ['a', 'b'], 'layers that the application asked for stay');
	peer.close();
});

test('layers outlast a time in which nothing is sent', async () => {
	const { ours, sender, exchange, close } = await layered();
	ours.getTransceivers()[0]!.direction = 'inactive';
	await exchange();
	assert.equal(ridsOf(sender), ['lo', 'hi']);
	close();
});

test('an offer of the peer that takes the second layer only leaves that one, and its name', async () => {
	const { ours, theirs, sender, close } = await layered();
	await theirs.setLocalDescription();
	const offer = asking(theirs.localDescription!.sdp, ['hi']);
	await ours.setRemoteDescription({ type: 'offer', sdp: offer });
	assert.equal(ridsOf(sender), ['lo', 'hi'], 'an offer alone takes nothing away');
	await ours.setLocalDescription();
	assert.match(ours.localDescription!.sdp, 'a=rid:hi send\r\na=simulcast:send hi\r\n');
	assert.equal(ridsOf(sender), ['hi']);
	close();
});

test('layers of different codecs are refused, since a sender has one', async () => {
	const { sender, ours, close } = await layered();
	const parameters = sender.getParameters();
	const [vp8, h264] = ['video/VP8', 'video/H264'].map((type) =>
		parameters.codecs.find(({ mimeType }) => mimeType === type),
	);
	const set = async (...codecs: (RTCRtpCodec | undefined)[]): Promise<string | null> => {
		const { encodings, ...rest } = sender.getParameters();
		const named = encodings.map((encoding, index) => ({ ...encoding, codec: codecs[index] }));
		return sender.setParameters({ ...rest, encodings: named } as RTCRtpSendParameters).then(
			() => null,
			({ name }: Error) => name,
		);
	};
	assert.is(await set(undefined, h264), 'OperationError');
	assert.is(await set(vp8, h264), 'OperationError');
	assert.is(await set(h264, h264), null);
	assert.is(await set(vp8, undefined), null, 'the codec that comes first anyway');
	assert.throws(
		() =>
			ours.addTransceiver('video', {
				sendEncodings: [
					{ rid: 'a', codec: vp8 },
					{ rid: 'b', codec: h264 },
				] as object[],
			}),
		({ name }: Error) => name === 'OperationError',
	);
	close();
});

test('a scalability mode is one of the specification, and one layer once it is negotiated', async () => {
	const [ours, theirs] = [connect(), connect()];
	const make = (scalabilityMode: string): RTCRtpSender =>
		ours.addTransceiver('video', { sendEncodings: [{ scalabilityMode } as RTCRtpEncodingParameters] }).sender;
	for (const nonsense of ['TotalNonsense', 'L4T1', 'S1T1', 'L1T1_KEY']) {
		assert.throws(
			() => make(nonsense),
			({ name }: Error) => name === 'OperationError',
		);
	}
	const sender = make('L3T3_KEY');
	const mode = (): unknown => (sender.getParameters().encodings[0] as { scalabilityMode?: string }).scalabilityMode;
	assert.is(mode(), 'L3T3_KEY');
	await ours.setLocalDescription();
	await theirs.setRemoteDescription(ours.localDescription!);
	await theirs.setLocalDescription();
	await ours.setRemoteDescription(theirs.localDescription!);
	assert.is(mode(), 'L1T1');
	ours.close();
	theirs.close();
});

test('a remote offer makes parameters that were got before it old', async () => {
	const { ours, theirs, sender, close } = await layered();
	await theirs.setLocalDescription();
	const setting = ours.setRemoteDescription(theirs.localDescription!);
	const parameters = sender.getParameters();
	await setting;
	let refusal: unknown;
	await sender.setParameters(parameters).catch((error: unknown) => {
		refusal = error;
	});
	assert.is((refusal as DOMException | undefined)?.name, 'InvalidStateError');
	close();
});

test.run();
