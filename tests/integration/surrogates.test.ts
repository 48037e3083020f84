/** Strings that are not well-formed: each is at most its own call's error, and the session goes on. */

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { connected, failure, makePair, negotiate, next, shim } from './pcPair.ts';

const LONE = '\ud800';

test.after(() => shim.close());

test('lone surrogates in names, servers, paths and candidates leave every other object as it was', async () => {
	const pair = makePair({
		configuration: { iceServers: [{ urls: 'turn:127.0.0.1:1?transport=tcp', username: LONE, credential: `x${LONE}` }] },
	});
	const channel = pair.offerer.createDataChannel(LONE, { protocol: LONE });
	const offered = next<RTCDataChannelEvent>(pair.answerer, 'datachannel');
	await negotiate(pair);
	await connected(pair.offerer, pair.answerer);
	assert.is((await offered).channel.label, '\ufffd', 'a USVString');
	assert.is(channel.label, '\ufffd');

	const source = `${LONE}.webm`;
	const video = { sourceType: 'file', source } as MediaTrackConstraints;
	assert.is(await failure(() => shim.mediaDevices.getUserMedia({ video })), 'NotFoundError');
	const candidate = `candidate:${LONE} 1 udp 1 127.0.0.1 9 typ host`;
	await failure(() => pair.offerer.addIceCandidate({ candidate, sdpMid: '0' }));
	await failure(() =>
		pair.offerer.addIceCandidate({ candidate: 'candidate:1 1 udp 1 127.0.0.1 9 typ host', sdpMid: LONE }),
	);
	pair.offerer.addTransceiver('audio', { streams: [new shim.MediaStream()] });
	const mid = (sdp: string) => sdp.replaceAll('a=mid:1', `a=mid:1${LONE}`).replace(/(a=group:BUNDLE .*)/, `$1${LONE}`);
	await failure(async () =>
		pair.answerer.setRemoteDescription({ type: 'offer', sdp: mid((await pair.offerer.createOffer()).sdp!) }),
	);

	const said = next<MessageEvent>((await offered).channel, 'message');
	channel.send(`still here ${LONE}`);
	assert.is((await said).data, 'still here \ufffd');
	pair.close();
});

for (const line of ['ice-ufrag', 'ice-pwd', 'msid', 'fingerprint', 'ssrc']) {
	test(`a lone surrogate in a=${line} of the peer ends no session`, async () => {
		const pair = makePair();
		const bystander = makePair();
		pair.offerer.addTransceiver('video');
		pair.offerer.createDataChannel('x');
		const edit = (sdp: string, type: string) =>
			type === 'answer' ? sdp.replaceAll(new RegExp(`(a=${line}:\\S+)`, 'g'), `$1${LONE}`) : sdp;
		const { offerer, answerer } = pair;
		await offerer.setLocalDescription();
		await answerer.setRemoteDescription(offerer.localDescription!);
		const { sdp } = await answerer.createAnswer();
		await failure(() => offerer.setRemoteDescription({ type: 'answer', sdp: edit(sdp!, 'answer') }));
		bystander.offerer.createDataChannel('y');
		await negotiate(bystander);
		await connected(bystander.offerer, bystander.answerer);
		pair.close();
		bystander.close();
	});
}

test.run();
