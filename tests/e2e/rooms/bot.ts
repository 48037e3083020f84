/** A participant of a party: sends a small picture, reads everybody's, and counts. Told what to do by its parent. */
import 'aiortc-shim/global';
import { Room } from '../../../demo/client.ts';
import { contextOf } from '../../../shim/rpc/context.ts';
import { look, picture, readCode, stopTracks } from '../contract/media.ts';
import type { Ask, Asks, Counts, Seen } from './messages.ts';
import { usageOf, workerOf } from './processes.ts';

/** What the others send, by their number. */
const remote = new Map<number, MediaStreamTrack>();
let arrived: () => void = () => {};
let room: Room | null = null;

const doings: { [A in Ask]: (params: Asks[A]['in']) => Promise<Asks[A]['out']> } = { join, watch, count, leave };

process.on('message', async ({ ask, params }: { ask: Ask; params: never }) => {
	try {
		process.send!({ out: await doings[ask](params) });
	} catch (error) {
		process.send!({ error: (error as Error).stack });
	}
});

async function join({ url, number, others }: Asks['join']['in']): Promise<Asks['join']['out']> {
	const began = performance.now();
	room = await Room.join(
		{ url, room: 'party', name: `${number}`, bot: true },
		{
			onMedia: ({ peer, track }) => {
				remote.set(Number(peer.name), track);
				arrived();
			},
			onError: (error) => console.error(`bot ${number}:`, error),
			onLost: (reason) => console.error(`bot ${number} lost the room: ${reason}`),
		},
	);
	await room.publish(await picture(number));
	while (remote.size < others) {
		await new Promise<void>((resolve) => {
			arrived = resolve;
		});
	}
	return { ms: performance.now() - began };
}

function watch({ seconds }: { seconds: number }): Promise<Seen[]> {
	return Promise.all([...remote].map(([number, track]) => watchOne(number, track, seconds)));
}

function watchOne(number: number, track: MediaStreamTrack, seconds: number): Promise<Seen> {
	const seen: Seen = { number, frames: 0, right: 0, moving: 0, width: 0 };
	let [end, last] = [0, -1];
	return look<VideoFrame, Seen>(
		track,
		`${seconds} s of bot ${number}`,
		async (frame) => {
			end ||= performance.now() + seconds * 1_000;
			const code = await readCode(frame);
			seen.frames++;
			seen.width = frame.codedWidth;
			if (code?.code === number) seen.right++;
			if (code && code.counter !== last) seen.moving++;
			last = code?.counter ?? last;
			return performance.now() > end ? seen : null;
		},
		30_000 + seconds * 1_000,
	);
}

async function count(): Promise<Counts> {
	const { root } = contextOf(RTCPeerConnection).session();
	const { objects, tasks } = await root.call('dump', {});
	const [bot, worker] = [usageOf(process.pid), usageOf(workerOf(process.pid))];
	return { objects, tasks, bot: bot.bytes, worker: worker.bytes, botCpu: bot.cpu, workerCpu: worker.cpu };
}

async function leave(): Promise<object> {
	room?.leave();
	stopTracks();
	return {};
}
