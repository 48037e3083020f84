/** A native peer in a page, under `peer` in its global scope; the test calls it by page.evaluate. */
import { Peer } from './Peer.ts';
import { picture, sound } from './sources.ts';

export interface PageGlobals {
	createPeer(options: { trickle: boolean }): void;
	addMedia(media: { code: number; tone: number; codec?: string }): void;
	peer: Peer;
	/** Shows and plays what came, in <video id="remote">. */
	play(): void;
	/** Given by the test. */
	onCandidate(candidate: RTCIceCandidateInit | null): void;
}

const page = globalThis as unknown as PageGlobals;
const video = document.querySelector('video')!;

page.createPeer = ({ trickle }) => {
	page.peer = new Peer(trickle ? { onCandidate: (candidate) => page.onCandidate(candidate) } : {});
};

page.addMedia = ({ code, tone, codec }) => {
	page.peer.add(picture(code), codec);
	page.peer.add(sound(tone));
};

page.play = () => {
	video.srcObject = new MediaStream([...page.peer.remote.values()]);
	void video.play();
};
