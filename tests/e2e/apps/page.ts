/** An end of a call in a page, under `call` in its global scope; the test calls it by page.evaluate. */
import { picture, sound } from '../peer/sources.ts';
import type { Call } from './Call.ts';
import { PeerJsCall, type PeerJsClass } from './PeerJsCall.ts';
import type { Media } from './Side.ts';
import { SimplePeerCall, type SimplePeerClass } from './SimplePeerCall.ts';

export interface PageGlobals {
	/** Of the libraries' own scripts. */
	SimplePeer: SimplePeerClass;
	Peer: PeerJsClass;
	/** Given by the test. */
	onSignal(data: object): void;
	beginSimplePeer(sends: Media, initiator: boolean): void;
	registerPeerJs(sends: Media, id: string, port: number): Promise<void>;
	call: Call;
	/** Whether the library has said that the call is over. */
	isOver: boolean;
	/** Shows and plays what came, once there are both; in the page's <video>. */
	play(): boolean;
}

const page = globalThis as unknown as PageGlobals;

page.beginSimplePeer = (sends, initiator) => {
	use(new SimplePeerCall(page.SimplePeer, { initiator, stream: streamOf(sends) }, (data) => page.onSignal(data)));
};

page.registerPeerJs = async (sends, id, port) => {
	const call = new PeerJsCall(page.Peer, id, port, streamOf(sends));
	use(call);
	await call.register();
};

page.play = () => {
	const { remote } = page.call;
	if (remote.size < 2) return false;
	const video = document.querySelector('video')!;
	video.srcObject = new MediaStream([...remote.values()]);
	void video.play();
	return true;
};

function use(call: Call): void {
	page.call = call;
	page.isOver = false;
	void call.closed.then(() => {
		page.isOver = true;
	});
}

function streamOf({ code, tone }: Media): MediaStream {
	return new MediaStream([picture(code), sound(tone)]);
}
