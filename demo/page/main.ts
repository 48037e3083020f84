/**
 * The page: joins the room, shows who is there, talks and sends files. It is the same over the browser's own WebRTC and,
 * at /bridge, over the shim, whose script is then in the head: nothing below asks which.
 */

// Smooths out the differences of browsers, as many pages do; over the shim, too.
import 'webrtc-adapter';
import { openCamera, openMicrophone } from './capture.ts';
import { Charts } from './charts.ts';
import { Chat } from './chat.ts';
import { element } from './dom.ts';
import { takeFiles } from './dropZone.ts';
import { showState } from './status.ts';
import { Tiles } from './tiles.ts';
import { type View, Visit } from './Visit.ts';
import { inWords } from './words.ts';

/** Where a name waits that is to join again when the switch has led to the other page. */
const COMING = 'coming';

const chat = new Chat();
const view: View = { tiles: new Tiles(onblind), chat, charts: new Charts() };
const joinForm = element('join', HTMLFormElement);
const nameField = element('name', HTMLInputElement);
const devices = [
	{ button: element('camera', HTMLButtonElement), kind: 'video', open: openCamera },
	{ button: element('microphone', HTMLButtonElement), kind: 'audio', open: openMicrophone },
] as const;
let visit: Visit | null = null;

joinForm.addEventListener('submit', (event) => {
	event.preventDefault();
	view.tiles.unlock();
	void join();
});
element('rejoin').addEventListener('click', () => {
	view.tiles.unlock();
	void join();
});
element('leave').addEventListener('click', leave);
element('back').addEventListener('click', leave);
for (const device of devices) device.button.addEventListener('click', () => void toggle(device));
takeFiles((files) => visit?.files.send(files));
addEventListener('pagehide', () => visit?.leave());

showState('out');
showWay();
const coming = sessionStorage.getItem(COMING);
sessionStorage.removeItem(COMING);
nameField.value = coming ?? (nameField.value || `Guest ${Math.floor(10 + Math.random() * 90)}`);
if (coming) void join();

async function join(): Promise<void> {
	const name = nameField.value.trim() || 'Guest';
	const again = !element('lost').hidden;
	setBusy(true);
	showState('joining');
	element('refusal').textContent = '';
	visit = null;
	view.tiles.clear();
	try {
		visit = await Visit.begin(name, view, onlost);
		// Later, if its connection is up already, its standing has been told.
		if (element('status').dataset.state === 'joining') showState('connecting');
		document.title = `${name} in a room with aiortc-shim`;
		showRoom(true);
	} catch (error) {
		showState(again ? 'lost' : 'out');
		if (again) element('lost-reason').textContent = inWords(error);
		else element('refusal').textContent = inWords(error);
	}
	setBusy(false);
}

function leave(): void {
	visit?.leave();
	visit = null;
	view.tiles.clear();
	showState('out');
	showRoom(false);
	nameField.focus();
}

function onblind(error: unknown): void {
	chat.addNote(`Pictures and sound are not to be had in this browser on this way. ${inWords(error)}`);
}

function onlost(reason: string): void {
	// Lost before it was joined, it is join() that says so.
	if (!visit) return;
	visit = null;
	showState('lost');
	element('lost-reason').textContent = inWords(reason);
	showLost(true);
	resetDevices();
	element('rejoin').focus();
}

function showRoom(shown: boolean): void {
	document.body.dataset.view = shown ? 'room' : 'lobby';
	element('lobby').hidden = shown;
	element('room').hidden = !shown;
	showLost(false);
	resetDevices();
}

function showLost(shown: boolean): void {
	element('lost').hidden = !shown;
	element('stage').inert = shown;
	element('chat').inert = shown;
}

/** Turns the person's camera or microphone on or off. */
async function toggle({ button, kind, open }: (typeof devices)[number]): Promise<void> {
	const present = visit;
	// Busy, not disabled, which would take the focus from who pressed it.
	if (!present || button.ariaBusy === 'true') return;
	button.ariaBusy = 'true';
	const on = button.ariaPressed !== 'true';
	try {
		if (!on) await present.unpublish(kind);
		else chat.addNote(`You send ${await present.publish(await open())}`);
		if (present === visit) button.ariaPressed = String(on);
	} catch (error) {
		chat.addNote(inWords(error));
	}
	button.ariaBusy = null;
}

function resetDevices(): void {
	for (const { button } of devices) button.ariaPressed = 'false';
}

function setBusy(busy: boolean): void {
	const enter = element('enter', HTMLButtonElement);
	enter.disabled = busy;
	enter.textContent = busy ? 'Joining…' : 'Join';
	element('rejoin', HTMLButtonElement).disabled = busy;
}

/** Marks the page's way to the SFU in the switch; who is in the room joins again on the other way. */
function showWay(): void {
	document.documentElement.dataset.way = location.pathname === '/bridge' ? 'bridge' : 'native';
	for (const link of element('switch').querySelectorAll('a')) {
		if (link.pathname === location.pathname) link.ariaCurrent = 'page';
		link.addEventListener('click', () => {
			if (visit) sessionStorage.setItem(COMING, nameField.value.trim() || 'Guest');
		});
	}
}
