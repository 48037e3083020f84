/** The other processes of channels-memory.test.ts: a bridge, and a shim that receives; each ends with its channel to the test. */
import { createHash } from 'node:crypto';
import { startBridge } from '../../bridge/server.ts';
import { createShim } from '../../entries/node.ts';

const [, , what, text] = process.argv;
const { url, token, total } = JSON.parse(text!) as { url: string; token: string; total: number };
const tell = (message: object) => process.send!(message);

if (what === 'bridge') {
	const bridge = await startBridge({ workers: 1, spares: 0 });
	await bridge.ready;
	// V8 lets tens of MiB of buffers that nobody holds lie: what is measured is what is held.
	const collecting = setInterval(() => globalThis.gc!({ type: 'minor' }), 25);
	process.once('disconnect', () => {
		clearInterval(collecting);
		void bridge.close();
	});
	tell({ url: bridge.url, token: bridge.token });
} else {
	const shim = createShim({ url, token });
	const connection = new shim.RTCPeerConnection();
	const hash = createHash('sha1');
	let received = 0;
	connection.ondatachannel = ({ channel }) => {
		channel.onmessage = ({ data }) => {
			hash.update(new Uint8Array(data));
			received += data.byteLength;
			if (received === total) tell({ digest: hash.digest('hex') });
		};
	};
	connection.onicegatheringstatechange = () => {
		if (connection.iceGatheringState === 'complete') tell({ sdp: connection.localDescription!.sdp });
	};
	process.once('message', async ({ sdp }: { sdp: string }) => {
		await connection.setRemoteDescription({ type: 'offer', sdp });
		await connection.setLocalDescription();
	});
	process.once('disconnect', () => {
		connection.close();
		void shim.close();
	});
}
