/** Data, a picture and a tone, from one peer of this program to the other. */
import 'aiortc-shim/global';
import { connect } from './connect.mjs';
import { listen, watch } from './frames.mjs';

const { alice, bob, near, far } = await connect();

far.onmessage = ({ data }) => far.send(data);
near.binaryType = 'arraybuffer';
const echo = (data) => {
	near.send(data);
	return new Promise((resolve) => {
		near.onmessage = (event) => resolve(event.data);
	});
};
console.log(await echo('grüße 🎈'));
console.log((await echo(new Uint8Array(100_000))).byteLength);

const tracks = new Map();
const arrived = new Promise((resolve) => {
	bob.ontrack = ({ track }) => {
		if (tracks.set(track.kind, track).size === 2) resolve();
	};
});
const media = await navigator.mediaDevices.getUserMedia({
	audio: { frequency: 440 },
	video: { width: 160, height: 120, frameRate: 10 },
});
for (const track of media.getTracks()) alice.addTrack(track, media);
await alice.setLocalDescription();
await bob.setRemoteDescription(alice.localDescription);
await bob.setLocalDescription();
await alice.setRemoteDescription(bob.localDescription);
await arrived;
console.log(await watch(tracks.get('video')));
console.log(Math.round((await listen(tracks.get('audio'))) / 10) * 10);

for (const track of media.getTracks()) track.stop();
alice.close();
bob.close();
console.log('end');
