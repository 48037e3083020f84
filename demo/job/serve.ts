/** The bot's side of the main job. */
import { getRandomValues } from 'node:crypto';
import type { types } from 'mediasoup-client';
import type { RemoteMedia, Room } from '../client.ts';
import { type Receipt, receiptOf, sameMessage } from '../receipts.ts';
import { listenTo } from '../verify/listen.ts';
import { watch } from '../verify/watch.ts';
import type { Command, CommandName, Commands, Exchanged, Outcome, Published } from './messages.ts';
import { until } from './until.ts';

export interface Bot {
	room: Room;
	remote: Map<string, RemoteMedia>;
	receipts: Receipt[];
	listening: Set<string>;
	chat: types.DataProducer;
	videoTrack: MediaStreamTrack;
	video: types.Producer;
	audio: types.Producer;
}

/** Milliseconds for what another bot must do first, such as its media to arrive. */
const PATIENCE = 20_000;

/** Answers the parent process until it disconnects. */
export function serveJob(bot: Bot): void {
	const doings: { [N in CommandName]: (asked: Commands[N][0]) => Promise<Commands[N][1]> } = {
		introduce: async () => ({
			handlerName: bot.room.handlerName,
			audio: published(bot.audio),
			video: published(bot.video),
		}),
		switchCodec: ({ codec }) => switchCodec(bot, codec),
		watch: async ({ producerId, ...expected }) => {
			const { track, mimeType } = await arrival(bot, producerId);
			return { mimeType, ...(await watch(track, expected)) };
		},
		listen: async ({ producerId, ...expected }) => {
			const { track, mimeType } = await arrival(bot, producerId);
			return { mimeType, ...(await listenTo(track, expected)) };
		},
		exchange: ({ listener }) => exchange(bot, listener),
	};
	process.on('message', async ({ id, name, asked }: Command) => {
		// The table is typed by name; TypeScript cannot follow that through a variable name.
		const perform = doings[name] as (asked: unknown) => Promise<unknown>;
		const outcome = await perform(asked).then(
			(result) => ({ result }),
			(error) => ({ error: String(error?.stack ?? error) }),
		);
		if (process.connected) process.send!({ id, ...outcome } satisfies Outcome);
	});
}

function published(producer: types.Producer): Published {
	return { producerId: producer.id, mimeType: producer.rtpParameters.codecs[0]!.mimeType };
}

async function switchCodec(bot: Bot, codec: string): Promise<Published> {
	await bot.room.unpublish(bot.video);
	bot.video = await bot.room.publish(bot.videoTrack, codec);
	return published(bot.video);
}

function arrival(bot: Bot, producerId: string): Promise<RemoteMedia> {
	return until(() => bot.remote.get(producerId), PATIENCE, `the media of producer ${producerId}`);
}

/** Sizes around what protocols cut at: SCTP's packets, the wire's 64 KiB; the largest is near mediasoup's limit. */
const SIZES = [0, 1, 100, 1_200, 16_384, 65_535, 65_536, 65_537, 200_000];

async function exchange(bot: Bot, listener: string): Promise<Exchanged> {
	await until(() => bot.listening.has(listener) || undefined, PATIENCE, `${listener} to hear the chat`);
	const messages = SIZES.flatMap((size) => [text(size), binary(size)]);
	const sent = await Promise.all(messages.map((message) => receiptOf(message, bot.room.peerId)));
	for (const message of messages) bot.chat.send(message);
	const confirmed = () => sent.filter((message) => bot.receipts.some((receipt) => sameMessage(receipt, message)));
	await until(() => confirmed().length === sent.length || undefined, PATIENCE, 'all receipts').catch(() => {});
	return {
		text: sent.filter(({ type }) => type === 'text').length,
		binary: sent.filter(({ type }) => type === 'binary').length,
		bytes: sent.reduce((sum, { bytes }) => sum + bytes, 0),
		largest: Math.max(...sent.map(({ bytes }) => bytes)),
		confirmed: confirmed().length,
	};
}

/** Characters of one to four bytes, so that a cut in the middle of one would show; `size` bytes in all. */
function text(size: number): string {
	const long = 'aé€🎈'.repeat(Math.floor(size / 10));
	return (
		long +
		Math.random()
			.toFixed(10)
			.slice(2, 12)
			.padEnd(10, '0')
			.slice(0, size - Math.floor(size / 10) * 10)
	);
}

function binary(size: number): Uint8Array<ArrayBuffer> {
	const bytes = new Uint8Array(size);
	// getRandomValues gives at most 65536 bytes at once.
	for (let start = 0; start < size; start += 65_536) getRandomValues(bytes.subarray(start, start + 65_536));
	return bytes;
}
