/**
 * A participant that is a program: it publishes a film or a test picture, confirms what it hears and answers people.
 *
 *     node demo/bot.ts --url http://localhost:3000 --name 'Film bot' --file demo/media/sample.webm
 *     node demo/bot.ts --url http://localhost:3000 --name 'Test bot' --code 2 --tone 440
 *
 * The first import gives Node what a browser has; all below is code as for a browser.
 */
import 'aiortc-shim/global';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { types } from 'mediasoup-client';
import { type RemoteMedia, Room } from './client.ts';
import { FileReceiver } from './files/FileReceiver.ts';
import { serveJob } from './job/serve.ts';
import { CHAT, FILES, type FileReceipt, parseReceipt, RECEIPTS, type Receipt, receiptOf } from './receipts.ts';
import type { PeerInfo } from './signalling.ts';

const { values: options } = parseArgs({
	options: {
		url: { type: 'string', default: 'http://localhost:3000' },
		room: { type: 'string', default: 'lobby' },
		name: { type: 'string', default: 'Bot' },
		file: { type: 'string' },
		code: { type: 'string', default: '2' },
		tone: { type: 'string', default: '440' },
		codec: { type: 'string', default: 'VP8' },
	},
});

/** What the others send, by producer. */
const remote = new Map<string, RemoteMedia>();
/** What the others say that they received. */
const receipts: Receipt[] = [];
/** Files are checked and confirmed, and not kept. */
const files = new FileReceiver({ reply });
/** The names of those that hear our chat. */
const listening = new Set<string>();

// Ctrl-C reaches every process of the terminal; and a bot whose parent is gone has no business here.
// Until it is in the room it has nothing to close.
let leave: () => void = process.exit;
let left = false;
for (const ending of ['SIGINT', 'SIGTERM', 'disconnect']) process.on(ending, () => leave());

const media = await openMedia();
const room = await Room.join(
	{ url: options.url, room: options.room, name: options.name, bot: true },
	{
		onMedia: (received) => remote.set(received.producerId, received),
		onMediaEnded: (received) => remote.delete(received.producerId),
		onListening: (label, peer) => {
			if (label === CHAT) void greet(peer);
		},
		onMessage: (data, label, peer) => {
			if (label === CHAT) void hear(data, peer);
			else if (label === FILES) files.take(data, peer);
			else if (label === RECEIPTS) note(parseReceipt(data));
		},
		onPeerLeft: (peer) => files.forget(peer),
		onLost: async (reason) => {
			// Ctrl-C ends the SFU, too: a moment shows whether we are asked to go anyway.
			await setTimeout(500);
			if (!left) console.error(`${options.name}: the room is lost: ${reason}`);
			leave();
		},
		onError: (error) => console.error(`${options.name}:`, error),
	},
);
// Promises, since somebody may listen before we know that the channel is open.
const receiptsChannel = room.openChannel(RECEIPTS);
const chat = room.openChannel(CHAT);
for (const channel of [receiptsChannel, chat]) channel.catch(() => {});
// With the connections closed, nothing keeps this process.
leave = () => {
	left = true;
	room.leave();
	for (const track of media.getTracks()) track.stop();
	if (process.connected) process.disconnect();
};

const [videoTrack] = media.getVideoTracks();
const [audioTrack] = media.getAudioTracks();
try {
	const video = await room.publish(videoTrack!, options.codec);
	const audio = await room.publish(audioTrack!);
	await receiptsChannel;
	if (process.send)
		serveJob({ room, remote, receipts, listening, chat: await chat, videoTrack: videoTrack!, video, audio });
	else console.log(`${options.name} is in the room (${room.handlerName})`);
} catch (error) {
	// Asked to leave before all of it was there, it has no reason to complain.
	if (!left) throw error;
}

/** Camera and microphone: a film without end, or a test picture and tone. */
function openMedia(): Promise<MediaStream> {
	if (options.file) {
		const film = { sourceType: 'file', source: options.file, loop: true } as const;
		return navigator.mediaDevices.getUserMedia({ audio: film, video: film });
	}
	return navigator.mediaDevices.getUserMedia({
		audio: { frequency: Number(options.tone) },
		video: { width: 320, height: 240, frameRate: 30, code: Number(options.code) },
	});
}

async function greet(peer: PeerInfo): Promise<void> {
	listening.add(peer.name);
	if (!peer.bot) await say(chat, `Hello ${peer.name}, I am a Node program. Say something!`);
}

/** Confirms each message, and answers people; two bots that answered each other would never end. */
async function hear(data: string | ArrayBuffer, peer: PeerInfo): Promise<void> {
	await reply(await receiptOf(data, peer.id));
	if (!peer.bot) await say(chat, `You said: ${typeof data === 'string' ? data : `${data.byteLength} bytes`}`);
}

function reply(receipt: Receipt | FileReceipt): Promise<void> {
	return say(receiptsChannel, JSON.stringify(receipt));
}

async function say(channel: Promise<types.DataProducer>, text: string): Promise<void> {
	const open = await channel.catch(() => null);
	// Who is leaving owes nobody an answer.
	if (open && !open.closed) open.send(text);
}

/** Bots send no files. */
function note(receipt: Receipt | FileReceipt | null): void {
	if (receipt && receipt.type !== 'file') receipts.push(receipt);
}
