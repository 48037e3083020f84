/** The page: joins the room with the browser's own WebRTC, shows who is there, and chats. */
import type { types } from 'mediasoup-client';
import { Room } from '../client.ts';
import { CHAT, RECEIPTS, type Receipt, receiptOf, sameMessage } from '../receipts.ts';
import type { PeerInfo } from '../signalling.ts';
import { addLine, addNote, addReceipt } from './lines.ts';
import { Tiles } from './tiles.ts';

const ROOM = 'lobby';

const joinForm = element('join', HTMLFormElement);
const sayForm = element('say', HTMLFormElement);
const line = element('line', HTMLInputElement);
const tiles = new Tiles(element('tiles', HTMLElement), element('tile', HTMLTemplateElement));

joinForm.addEventListener('submit', async (event) => {
	event.preventDefault();
	const name = element('name', HTMLInputElement).value;
	// A user's gesture is what lets sound play, so the audio context starts here.
	tiles.unlock();
	setStatus('joining', 'Joining…');
	joinForm.inert = true;
	try {
		await join(name);
		setStatus('in', `In the room as ${name}`);
	} catch (error) {
		setStatus('lost', `Could not join: ${error instanceof Error ? error.message : error}`);
		showRoom(false);
	}
	joinForm.inert = false;
});

async function join(name: string): Promise<void> {
	const sent: { receipt: Receipt; item: HTMLElement }[] = [];
	let receipts: Promise<types.DataProducer> | null = null;

	const room = await Room.join(
		{ url: location.origin, room: ROOM, name, bot: false },
		{
			onPeer: (peer) => tiles.add(peer),
			onPeerLeft: (peer) => {
				tiles.remove(peer);
				addNote(`${peer.name} left`);
			},
			onMedia: (media) => tiles.addMedia(media),
			onMediaEnded: (media) => tiles.removeMedia(media),
			onMessage: (data, label, peer) => {
				if (label === RECEIPTS) confirm(data, peer);
				else if (label === CHAT) void hear(data, peer);
			},
			onListening: (label, peer) => {
				if (label === CHAT) addNote(`${peer.name} is listening`);
			},
			onLost: (reason) => {
				setStatus('lost', `The room is lost: ${reason}`);
				showRoom(false);
				tiles.clear();
			},
			onError: (error) => addNote(error.message),
		},
	);
	showRoom(true);
	receipts = room.openChannel(RECEIPTS);
	const chat = await room.openChannel(CHAT);
	await receipts;

	async function hear(data: string | ArrayBuffer, peer: PeerInfo): Promise<void> {
		addLine(peer.name, typeof data === 'string' ? data : `${data.byteLength} bytes`);
		const receipt = await receiptOf(data, peer.id);
		(await receipts)?.send(JSON.stringify(receipt));
	}

	/** Receipts are everyone's business: those of others' messages match none of ours. */
	function confirm(data: string | ArrayBuffer, peer: PeerInfo): void {
		if (typeof data !== 'string') return;
		const receipt: Receipt = JSON.parse(data);
		const message = sent.find((candidate) => sameMessage(candidate.receipt, receipt));
		if (message) addReceipt(message.item, peer.name);
	}

	sayForm.onsubmit = async (event) => {
		event.preventDefault();
		const text = line.value;
		if (text === '') return;
		line.value = '';
		const receipt = await receiptOf(text, room.peerId);
		sent.push({ receipt, item: addLine('You', text) });
		chat.send(text);
	};
	line.focus();
}

function showRoom(shown: boolean): void {
	element('room', HTMLElement).hidden = !shown;
	joinForm.hidden = shown;
}

function setStatus(state: 'out' | 'joining' | 'in' | 'lost', text: string): void {
	const status = element('status', HTMLElement);
	status.dataset.state = state;
	status.textContent = text;
}

function element<T extends HTMLElement>(id: string, type: new () => T): T {
	const found = document.getElementById(id);
	if (!(found instanceof type)) throw new Error(`index.html has no ${type.name} #${id}`);
	return found;
}
