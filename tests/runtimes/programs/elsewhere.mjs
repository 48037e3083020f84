/** A bridge of this program's own, and a shim of its own that is told of it; the globals stay as they were. */
import { createShim } from 'aiortc-shim';
import { startBridge } from 'aiortc-shim/bridge';

const before = Object.getOwnPropertyDescriptor(globalThis, 'RTCPeerConnection');
const { PORTS } = process.env;
const bridge = await startBridge({
	udpPorts: PORTS.split('-').map(Number),
	announce: ['127.0.0.1'],
	workers: 1,
	spares: 0,
});
const shim = createShim({ url: bridge.url, token: bridge.token });
const alice = new shim.RTCPeerConnection();
const bob = new shim.RTCPeerConnection();
const addresses = new Set();
const join = (from, to) => {
	from.onicecandidate = ({ candidate }) => {
		to.addIceCandidate(candidate);
		if (candidate?.candidate) addresses.add(candidate.address);
	};
};
join(alice, bob);
join(bob, alice);
const channel = alice.createDataChannel('chat');
const heard = new Promise((resolve) => {
	bob.ondatachannel = ({ channel }) => {
		channel.onmessage = ({ data }) => resolve(data);
	};
});
channel.onopen = () => channel.send('hello');
await alice.setLocalDescription();
await bob.setRemoteDescription(alice.localDescription);
await bob.setLocalDescription();
await alice.setRemoteDescription(bob.localDescription);
console.log(await heard, bridge.sessions, [...addresses].join());
const after = Object.getOwnPropertyDescriptor(globalThis, 'RTCPeerConnection');
console.log(after?.value === before?.value ? 'globals untouched' : 'globals changed');

await shim.close();
await bridge.close();
console.log('end');
