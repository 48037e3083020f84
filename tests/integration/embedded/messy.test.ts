/** What goes wrong becomes an event or an error of its object, and no word on the worker's stderr. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CONNECT, start } from './script.ts';

/** Each leaves a program in the middle of something. */
const MESSES = {
	'connections closed in every stage': `
		for (const stage of [0, 1, 2, 3, 4, 5, 6]) {
			const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
			a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate).catch(() => {});
			b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate).catch(() => {});
			a.createDataChannel('x').onopen = ({ target }) => target.send(new Uint8Array(200_000));
			a.addTrack((await navigator.mediaDevices.getUserMedia({ audio: true })).getTracks()[0]);
			if (stage > 0) await a.setLocalDescription();
			if (stage > 1) await b.setRemoteDescription(a.localDescription);
			if (stage > 2) await b.setLocalDescription();
			if (stage > 3) await a.setRemoteDescription(b.localDescription);
			if (stage > 4) await new Promise((resolve) => setTimeout(resolve, 30 * stage));
			(stage % 2 ? a : b).close();
			await new Promise((resolve) => setTimeout(resolve, 20));
			(stage % 2 ? b : a).close();
		}`,
	'a fingerprint that is not the peer’s': `
		const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
		a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate);
		b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate);
		a.createDataChannel('x');
		await a.setLocalDescription();
		await b.setRemoteDescription(a.localDescription);
		await b.setLocalDescription();
		const failed = new Promise((resolve) => {
			a.onconnectionstatechange = () => a.connectionState === 'failed' && resolve();
		});
		const sdp = b.localDescription.sdp.replace(/(a=fingerprint:\\S+) ../g, '$1 00');
		await a.setRemoteDescription({ type: 'answer', sdp });
		await failed;
		a.close();
		b.close();`,
	'sources that cannot be opened, and tracks that end while they are sent and read': `
		for (const source of ['/none.webm', '/dev/null', 'http://127.0.0.1:1/x.webm']) {
			await navigator.mediaDevices.getUserMedia({ video: { sourceType: 'file', source } }).catch(() => {});
		}
		const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 160, height: 120 } });
		const [track] = stream.getTracks();
		${CONNECT}
		alice.addTrack(track, stream);
		const seen = new Promise((resolve) => { bob.ontrack = (event) => resolve(event.track); });
		await alice.setLocalDescription();
		await bob.setRemoteDescription(alice.localDescription);
		await bob.setLocalDescription();
		await alice.setRemoteDescription(bob.localDescription);
		const frames = new MediaStreamTrackProcessor({ track: await seen }).readable.getReader();
		(await frames.read()).value.close();
		track.stop();
		void frames.read();
		alice.close();
		bob.close();`,
	'channels full of data when their connection closes': `
		${CONNECT}
		for (let index = 0; index < 64; index++) channel.send(new Uint8Array(100_000));
		bob.close();
		await new Promise((resolve) => { channel.onclose = resolve; });
		alice.close();`,
	'an end with everything open': `
		${CONNECT}
		channel.send(new Uint8Array(200_000));
		console.log('end');
		process.exit();`,
};

for (const [what, code] of Object.entries(MESSES)) {
	test(`${what}: nothing is printed`, async () => {
		const { stderr } = await start(`import 'aiortc-shim/global';${code}`).ended;
		// A busy machine makes the worker's watchdog speak, which is no fault of the program's.
		assert.is(stderr.replace(/^.*watchdog[\s\S]*?blocked for.*$/gm, '').trim(), '');
	});
}

test.run();
