/** A page that joins the demo's room with what it is told to send, and shows everyone in a <video> of their name. */
import { Room } from '../../../demo/client.ts';
import { picture, sound } from './sources.ts';

export interface RoomGlobals {
	/** Joins; resolves with mediasoup-client's name of how WebRTC is done here. */
	join(name: string, media: { code: number; tone: number }): Promise<string>;
	/** Pauses what is sent, or goes on. */
	pauseSending(paused: boolean): void;
	leave(): void;
}

const page = globalThis as unknown as RoomGlobals;

page.join = async (name, { code, tone }) => {
	const room = await Room.join(
		{ url: location.origin, room: 'media', name, bot: false },
		{
			onMedia: ({ peer, track }) => streamOf(peer.name).addTrack(track),
			onMediaEnded: ({ peer, track }) => streamOf(peer.name).removeTrack(track),
		},
	);
	const producers = [await room.publish(picture(code), 'VP8'), await room.publish(sound(tone))];
	page.leave = () => room.leave();
	page.pauseSending = (paused) => {
		for (const producer of producers) {
			if (paused) producer.pause();
			else producer.resume();
		}
	};
	return room.handlerName;
};

function streamOf(name: string): MediaStream {
	const known = document.querySelector<HTMLVideoElement>(`[data-peer="${name}"]`);
	if (known) return known.srcObject as MediaStream;
	const video = document.createElement('video');
	video.dataset.peer = name;
	video.autoplay = true;
	const stream = new MediaStream();
	video.srcObject = stream;
	document.body.append(video);
	return stream;
}
