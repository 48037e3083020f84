/** Two peers of one program, and a channel between them, open at both ends. */
export async function connect() {
	const alice = new RTCPeerConnection();
	const bob = new RTCPeerConnection();
	alice.onicecandidate = ({ candidate }) => bob.addIceCandidate(candidate);
	bob.onicecandidate = ({ candidate }) => alice.addIceCandidate(candidate);
	const near = alice.createDataChannel('chat');
	const opened = new Promise((resolve) => {
		near.onopen = resolve;
	});
	const arrived = new Promise((resolve) => {
		bob.ondatachannel = ({ channel }) => resolve(channel);
	});
	await alice.setLocalDescription();
	await bob.setRemoteDescription(alice.localDescription);
	await bob.setLocalDescription();
	await alice.setRemoteDescription(bob.localDescription);
	await opened;
	return { alice, bob, near, far: await arrived };
}
