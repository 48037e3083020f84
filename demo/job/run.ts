/** The main job: two bots publish to each other through the SFU, and what arrives is compared with what was sent. */
import { connect } from 'node:net';
import type { Demo } from '../server.ts';
import type { Participant } from './Participant.ts';
import { messagesRow, pictureRow, type Row, toneRow } from './report.ts';

/** A bot and what it sends. */
export interface Cast {
	bot: Participant;
	/** Where its media comes from. */
	source: string;
	/** The number burnt into its picture. */
	code: number;
	/** Hz. */
	tone: number;
}

const FRAMES = 60;
const SECONDS = 1.5;

/** Both ways picture, sound and messages; then the first bot's picture again, in H264. */
export async function perform(first: Cast, second: Cast, log: (line: string) => void): Promise<Row[]> {
	const [hers, his] = await Promise.all([first.bot.ask('introduce', {}), second.bot.ask('introduce', {})]);
	log(`${first.bot.name} and ${second.bot.name} are in the room: mediasoup-client's ${hers.handlerName}, in Node`);
	const media = await Promise.all([
		watching(first, second, hers.video.producerId),
		watching(second, first, his.video.producerId),
		listening(first, second, hers.audio.producerId),
		listening(second, first, his.audio.producerId),
	]);
	const messages = await Promise.all([exchanging(first, second), exchanging(second, first)]);
	const again = await first.bot.ask('switchCodec', { codec: 'H264' });
	return [...media, ...messages, await watching(first, second, again.producerId)];
}

function way(from: Cast, to: Cast): string {
	return `${from.bot.name} → ${to.bot.name}`;
}

async function watching(from: Cast, to: Cast, producerId: string): Promise<Row> {
	const seen = await to.bot.ask('watch', { producerId, code: from.code, frames: FRAMES });
	return pictureRow(way(from, to), from.source, from.code, seen);
}

async function listening(from: Cast, to: Cast, producerId: string): Promise<Row> {
	const heard = await to.bot.ask('listen', { producerId, frequency: from.tone, seconds: SECONDS });
	return toneRow(way(from, to), `${from.source}, ${from.tone} Hz`, from.tone, heard);
}

async function exchanging(from: Cast, to: Cast): Promise<Row> {
	return messagesRow(way(from, to), await from.bot.ask('exchange', { listener: to.bot.name }));
}

/** What is left though all has been closed: a process or a port. */
export async function remains(demo: Demo, url: string): Promise<string[]> {
	const left: string[] = [];
	if (isAlive(demo.sfu.pid)) left.push(`the SFU's process ${demo.sfu.pid}`);
	if (await answers(Number(new URL(url).port))) left.push(`a server on ${url}`);
	return left;
}

function isAlive(pid: number): boolean {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}

function answers(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect({ port, host: '127.0.0.1' });
		socket.once('connect', () => {
			socket.destroy();
			resolve(true);
		});
		socket.once('error', () => resolve(false));
	});
}
