import {
	MediaStreamTrackProcessor,
	type RTCDataChannel,
	type RTCPeerConnection,
	type Shim,
} from '../../entries/node.ts';

const MESSAGES = 20;
const MESSAGE = new Uint8Array(16 * 1024);
const PATIENCE_MS = 30_000;

/** Connects two connections, sends messages both ways and video one way until a picture was read, and closes. */
export async function round(shim: Shim): Promise<void> {
	const [offerer, answerer] = [new shim.RTCPeerConnection(), new shim.RTCPeerConnection()];
	const media = await shim.mediaDevices.getUserMedia({ video: { width: 160, height: 120 } });
	const tracks = media.getTracks();
	let late: NodeJS.Timeout | undefined;
	try {
		for (const track of tracks) offerer.addTrack(track, media);
		const channel = offerer.createDataChannel('soak');
		const echo = once<RTCDataChannelEvent>(answerer, 'datachannel').then(({ channel }) => {
			channel.onmessage = ({ data }) => channel.send(data);
		});
		const picture = once<RTCTrackEvent>(answerer, 'track').then(({ track }) => firstFrame(track));
		const work = Promise.all([negotiate(offerer, answerer), echo, picture, exchange(channel)]);
		const timeout = new Promise<never>((_, reject) => {
			late = setTimeout(() => reject(new Error('a round takes too long')), PATIENCE_MS);
		});
		await Promise.race([work, timeout]);
	} finally {
		clearTimeout(late);
		offerer.close();
		answerer.close();
		for (const track of tracks) track.stop();
	}
}

async function negotiate(offerer: RTCPeerConnection, answerer: RTCPeerConnection): Promise<void> {
	await offerer.setLocalDescription();
	await gathered(offerer);
	await answerer.setRemoteDescription(offerer.localDescription!);
	await answerer.setLocalDescription();
	await gathered(answerer);
	await offerer.setRemoteDescription(answerer.localDescription!);
}

async function gathered(connection: RTCPeerConnection): Promise<void> {
	while (connection.iceGatheringState !== 'complete') await once(connection, 'icegatheringstatechange');
}

async function exchange(channel: RTCDataChannel): Promise<void> {
	let back = 0;
	const all = new Promise<void>((resolve) => {
		channel.onmessage = () => {
			if (++back === MESSAGES) resolve();
		};
	});
	await once(channel, 'open');
	for (let sent = 0; sent < MESSAGES; sent++) channel.send(MESSAGE);
	await all;
}

async function firstFrame(track: MediaStreamTrack): Promise<void> {
	const reader = new MediaStreamTrackProcessor({ track: track as never }).readable.getReader();
	const { value } = await reader.read();
	value?.close();
	await reader.cancel();
}

function once<E extends Event>(target: EventTarget, type: string): Promise<E> {
	return new Promise((resolve) => target.addEventListener(type, (event) => resolve(event as E), { once: true }));
}
