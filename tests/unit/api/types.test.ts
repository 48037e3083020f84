import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as api from '../../../shim/api/index.ts';
import type * as media from '../../../shim/media/index.ts';

/** What tsc checks: our objects go where lib.dom's are asked for. Never called. */
export function assignable(
	ours: api.RTCPeerConnection,
	track: media.MediaStreamTrack,
	stream: media.MediaStream,
): globalThis.RTCPeerConnection {
	const connection: globalThis.RTCPeerConnection = ours;
	const sender: globalThis.RTCRtpSender = ours.addTrack(track, stream);
	const transceiver: globalThis.RTCRtpTransceiver = ours.addTransceiver('video', {
		direction: 'sendonly',
		sendEncodings: [{ rid: 'a', maxBitrate: 100_000 }, { rid: 'b' }],
	});
	const channel: globalThis.RTCDataChannel = ours.createDataChannel('x', { ordered: false });
	const receiver: globalThis.RTCRtpReceiver = transceiver.receiver;
	const sctp: globalThis.RTCSctpTransport | null = ours.sctp;
	ours.ontrack = ({ track, streams: [first] }) => void [track.id, first?.id];
	ours.addEventListener('icecandidate', ({ candidate }) => void ours.addIceCandidate(candidate));
	ours.ondatachannel = (event) => event.channel.send('x');
	channel.onmessage = ({ data }) => void data;
	ours.removeTrack(ours.getSenders()[0]!);
	const candidate: globalThis.RTCIceCandidate = new api.RTCIceCandidate({ sdpMid: '0' });
	const description: globalThis.RTCSessionDescription = new api.RTCSessionDescription({ type: 'offer', sdp: '' });
	const error: globalThis.RTCError = new api.RTCError({ errorDetail: 'sctp-failure' });
	const report: Promise<globalThis.RTCStatsReport> = ours.getStats();
	const dtls: globalThis.RTCDtlsTransport | null | undefined = sctp?.transport ?? sender.transport;
	const ice: globalThis.RTCIceTransport | undefined = dtls?.iceTransport;
	void [receiver, candidate, description, error, report, ice];
	return connection;
}

test("our classes have lib.dom's names", () => {
	for (const name of Object.keys(api)) assert.equal(Reflect.get(api, name).name, name);
});

test.run();
