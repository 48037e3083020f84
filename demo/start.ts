/**
 * The demo.
 *
 *     npm start                  a room with two bots, and its page for you, until Ctrl-C
 *     npm start -- --headless    the same room without a page: the bots check each other, and it ends
 *     npm start -- --port 3000   where the page is; any free port unless said
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePython } from 'aiortc-shim/bridge';
import { ensureMediasoupWorker } from '../scripts/mediasoup-worker.ts';
import { Participant } from './job/Participant.ts';
import { table } from './job/report.ts';
import { type Cast, perform, remains } from './job/run.ts';
import { PageBridge } from './PageBridge.ts';
import { buildPage } from './page/build.ts';
import { Demo } from './server.ts';

/** Milliseconds for the whole of the headless job, set-up apart. */
const DEADLINE = 120_000;
const SAMPLE = path.join(import.meta.dirname, 'media', 'sample.webm');

const { values: options } = parseArgs({
	options: { headless: { type: 'boolean', default: false }, port: { type: 'string', default: '0' } },
});

try {
	// What the first start of all has to fetch or build, once for both bots and outside the deadline.
	const [workerBin] = await Promise.all([ensureMediasoupWorker(), ensurePython()]);
	process.exitCode = options.headless ? await job(workerBin) : await stay(workerBin);
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exitCode = 1;
}

/** @returns the exit code */
async function job(workerBin: string): Promise<number> {
	const demo = await Demo.serve({ workerBin, port: 0 });
	const { url } = demo;
	const cast = bots(url);
	const faults: string[] = [];
	let good = false;
	try {
		const rows = await before(DEADLINE, interrupted(), perform(...cast, console.log));
		console.log(table(rows));
		good = rows.every((row) => row.good);
	} catch (error) {
		faults.push(error instanceof Error ? error.message : String(error));
	}
	for (const complaint of await Promise.all(cast.map(({ bot }) => bot.leave()))) {
		if (complaint) faults.push(complaint);
	}
	await demo.close();
	for (const what of await remains(demo, url)) faults.push(`left behind: ${what}`);
	for (const fault of faults) console.error(fault);
	const passed = good && faults.length === 0;
	console.log(passed ? 'All that was sent was received and verified; nothing is left.' : 'FAILED');
	return passed ? 0 : 1;
}

/** @returns the exit code */
async function stay(workerBin: string): Promise<number> {
	const bridge = new PageBridge();
	const demo = await Demo.serve({
		workerBin,
		port: Number(options.port),
		page: await buildPage(),
		bridge: () => bridge.endpoint(),
	});
	const cast = bots(demo.url);
	console.log(`The room is at ${demo.url} (Ctrl-C ends it)`);
	for (const { bot } of cast) {
		const entered = () => console.log(`${bot.name} is in the room`);
		// A bot that fails instead has ended, which is told below.
		bot.ask('introduce', {}).then(entered, () => {});
	}
	const ending = interrupted().catch(() => 'asked to');
	const failing = cast.map(({ bot }) => bot.ended.then((how) => `${bot.name} ended with ${how}`));
	const dying = new Promise<string>((resolve) => demo.sfu.ondied((error) => resolve(`the SFU died: ${error.message}`)));
	const why = await Promise.race([ending, dying, ...failing]);
	await Promise.all(cast.map(({ bot }) => bot.leave()));
	await Promise.all([demo.close(), bridge.close()]);
	if (why === 'asked to') return 0;
	console.error(why);
	return 1;
}

function bots(url: string): [Cast, Cast] {
	const film = new Participant('Film bot', ['--url', url, '--file', SAMPLE]);
	const test = new Participant('Test bot', ['--url', url, '--code', '2', '--tone', '440']);
	return [
		{ bot: film, source: 'sample.webm', code: 1515, tone: 660 },
		{ bot: test, source: 'test picture and tone', code: 2, tone: 440 },
	];
}

/** Rejects when someone wants this to end; a second signal, which a terminal and npm may both send, changes nothing. */
function interrupted(): Promise<never> {
	return new Promise((_, reject) => {
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => reject(new Error(signal)));
	});
}

async function before<T>(milliseconds: number, ending: Promise<never>, work: Promise<T>): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`not done after ${milliseconds / 1_000} s`)), milliseconds);
	});
	try {
		return await Promise.race([work, late, ending]);
	} finally {
		clearTimeout(timer);
	}
}
