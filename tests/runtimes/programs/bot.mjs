/**
 * A bot in a room of mediasoup: sends a picture, a tone and a greeting, and says what it has of each other bot.
 *
 *     bot.mjs <url> <name> <frequency of its tone> <how many others>
 */
import 'aiortc-shim/global';
import { Device } from 'mediasoup-client';
import { io } from 'socket.io-client';
import { listen, watch } from './frames.mjs';

const [url, name, frequency, others] = process.argv.slice(2);

const socket = io(url, { transports: ['websocket'], reconnection: false });
const ask = async (request, asked = {}) => {
	const answer = await socket.timeout(15_000).emitWithAck(request, asked);
	if (answer.error) throw new Error(`${request}: ${answer.error}`);
	return answer.ok;
};

const names = new Map();
const found = new Map();
/** Notes what came from a peer, and says it when all has come. */
function note(peerId, what, value) {
	const of = found.get(peerId) ?? {};
	found.set(peerId, { ...of, [what]: value });
	const { video, audio, text } = found.get(peerId);
	if (!video || !audio || !text) return;
	console.log(`${names.get(peerId)}: ${video}, ${audio} Hz, ${text}`);
	if ([...found.values()].filter((each) => each.video && each.audio && each.text).length === Number(others)) {
		console.log('complete');
	}
}

const device = new Device();
await device.load(await ask('join', { room: 'runtimes', name, bot: true }));
const sending = device.createSendTransport(await ask('createTransport'));
const receiving = device.createRecvTransport(await ask('createTransport'));
for (const transport of [sending, receiving]) {
	const transportId = transport.id;
	transport.on('connect', ({ dtlsParameters }, resolve, reject) => {
		ask('connectTransport', { transportId, dtlsParameters }).then(resolve, reject);
	});
	transport.on('produce', ({ kind, rtpParameters }, resolve, reject) => {
		ask('produce', { transportId, kind, rtpParameters }).then(resolve, reject);
	});
	transport.on('producedata', ({ sctpStreamParameters, label }, resolve, reject) => {
		ask('produceData', { transportId, sctpStreamParameters, label }).then(resolve, reject);
	});
}

async function consume({ producerId, peerId }) {
	const asked = { transportId: receiving.id, producerId, rtpCapabilities: device.recvRtpCapabilities };
	const { kind, track, id } = await receiving.consume(await ask('consume', asked));
	await ask('resumeConsumer', { consumerId: id });
	note(peerId, kind, kind === 'video' ? await watch(track) : Math.round((await listen(track)) / 10) * 10);
}

async function consumeData({ dataProducerId, peerId }) {
	const asked = { transportId: receiving.id, dataProducerId };
	const consumer = await receiving.consumeData(await ask('consumeData', asked));
	consumer.on('message', (text) => note(peerId, 'text', text));
	if (consumer.readyState !== 'open') await new Promise((resolve) => consumer.once('open', resolve));
	await ask('resumeDataConsumer', { dataConsumerId: consumer.id });
}

// What is sent before somebody listens reaches nobody.
let opened;
const greeting = new Promise((resolve) => {
	opened = resolve;
});
socket.on('listening', async () => (await greeting).send(`greetings from ${name}`));
socket.on('peerJoined', (peer) => names.set(peer.id, peer.name));
socket.on('mediaAdded', consume);
socket.on('channelAdded', consumeData);
const media = await navigator.mediaDevices.getUserMedia({
	audio: { frequency: Number(frequency) },
	video: { width: 160, height: 120, frameRate: 10 },
});
const there = await ask('enter');
for (const peer of there.peers) names.set(peer.id, peer.name);
for (const item of there.media) void consume(item);
for (const channel of there.channels) void consumeData(channel);

for (const track of media.getTracks()) await sending.produce({ track, stopTracks: false });
const channel = await sending.produceData({ label: 'greeting' });
if (channel.readyState === 'open') opened(channel);
else channel.once('open', () => opened(channel));
console.log('in the room');

process.once('SIGTERM', () => {
	for (const track of media.getTracks()) track.stop();
	sending.close();
	receiving.close();
	socket.disconnect();
	console.log('end');
});
