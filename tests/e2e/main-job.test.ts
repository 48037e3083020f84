/** The main job as a user starts it. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ensureMediasoupWorker } from '../../scripts/mediasoup-worker.ts';
import { eventually } from './eventually.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');
const PATIENCE = 30_000;
const LINGERING = 5_000;

test.after(async () => {
	for (const folder of folders) await rm(folder, { recursive: true });
});

test('npm start -- --headless: all that was sent is received and verified, and nothing is left', async () => {
	// Made first, so that what is timed and counted below is the job alone.
	await ensureMediasoupWorker();
	const temporary = await temporaryFolder();
	const { ended, group } = start(temporary, ['--headless']);
	const { code, output } = await ended;
	assert.is(code, 0, output);
	for (const row of ROWS) assert.match(output, row);
	assert.not.match(output, /WRONG|Traceback|never retrieved|Unhandled/);
	await emptied(group);
	assert.equal(await readdir(temporary), [], 'temporary files left');
});

test('a wrong picture and a wrong tone fail the job', async () => {
	// The bot is told other numbers than the job expects of it.
	const preload = path.join(await temporaryFolder(), 'wrong.mjs');
	await writeFile(preload, "process.argv = process.argv.map((word) => ({ 2: '3', 440: '550' })[word] ?? word);");
	const job = start(await temporaryFolder(), ['--headless'], { NODE_OPTIONS: `--import=${preload}` });
	const { code, output } = await job.ended;
	assert.match(output, /Test bot → Film bot +picture, .* code 2 in 0, .*✗ WRONG/);
	assert.match(output, /Test bot → Film bot +sound, .* 5(49|50|51)\.\d Hz.*✗ WRONG/);
	assert.match(output, /Film bot → Test bot +picture, VP8 .*✓/);
	assert.match(output, /^FAILED$/m);
	assert.is(code, 1);
	await emptied(job.group);
});

for (const [who, args] of Object.entries({ 'the headless job': ['--headless'], 'the room': [] })) {
	test(`SIGTERM ends ${who} quickly, whether it has begun or not`, async () => {
		for (const word of ['bot.ts', 'aiortc_worker']) {
			const temporary = await temporaryFolder();
			const job = start(temporary, args);
			await eventually(async () => pidsOf(job.group, word).at(1) ?? null, PATIENCE, word);
			process.kill(job.group, 'SIGTERM');
			const { output } = await job.ended;
			assert.not.match(output, /left behind|did not end by itself|Error/);
			await emptied(job.group);
			assert.equal(await readdir(temporary), [], 'temporary files left');
		}
	});
}

test('a bot whose worker is killed fails the job, which says why and leaves nothing', async () => {
	const job = start(await temporaryFolder(), ['--headless']);
	const worker = await eventually(async () => pidsOf(job.group, 'aiortc_worker').at(0) ?? null, PATIENCE, 'a worker');
	process.kill(worker, 'SIGKILL');
	const { code, output } = await job.ended;
	assert.is(code, 1, output);
	assert.match(output, /bot: |bot ended with/);
	assert.match(output, /FAILED/);
	assert.not.match(output, /left behind|did not end by itself/);
	await emptied(job.group);
});

test('killed itself, the demo leaves no process', async () => {
	const job = start(await temporaryFolder(), ['--headless']);
	await eventually(async () => pidsOf(job.group, 'rtcMinPort').at(0) ?? null, PATIENCE, 'an SFU');
	await eventually(async () => pidsOf(job.group, 'aiortc_worker').at(1) ?? null, PATIENCE, 'both workers');
	for (const pid of pidsOf(job.group, 'start.ts')) process.kill(pid, 'SIGKILL');
	await job.ended;
	await emptied(job.group);
});

const ROWS = [
	/Film bot and Test bot are in the room: mediasoup-client's Chrome111, in Node/,
	/Film bot → Test bot +picture, VP8 +sample\.webm +\d+ frames 320x240 .* code 1515 in .*✓/,
	/Test bot → Film bot +picture, VP8 +test picture and tone +\d+ frames 320x240 .* code 2 in .*✓/,
	/Film bot → Test bot +sound, opus .* 6(59|60|61)\.\d Hz.*✓/,
	/Test bot → Film bot +sound, opus .* 4(39|40|41)\.\d Hz.*✓/,
	/Film bot → Test bot +messages +9 text, 9 binary, \d+ bytes, up to 200000 +18 of 18 confirmed +18 SHA-256.*✓/,
	/Test bot → Film bot +messages +9 text, 9 binary, \d+ bytes, up to 200000 +18 of 18 confirmed +18 SHA-256.*✓/,
	/Film bot → Test bot +picture, H264 +sample\.webm +\d+ frames 320x240 .* code 1515 in .*✓/,
	/All that was sent was received and verified; nothing is left\./,
];

interface Job {
	/** The id of its process group. */
	group: number;
	ended: Promise<{ code: number | null; output: string }>;
}

/** Runs the demo as npm does, through the launcher, in a process group of its own. */
function start(temporary: string, args: string[], env: NodeJS.ProcessEnv = {}): Job {
	const command = [path.join('scripts', 'run.cjs'), path.join('demo', 'start.ts'), ...args];
	const child = spawn(process.execPath, command, {
		cwd: ROOT,
		detached: true,
		env: { ...process.env, ...env, TMPDIR: temporary },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let output = '';
	for (const stream of [child.stdout, child.stderr]) {
		stream.setEncoding('utf8').on('data', (text: string) => {
			output += text;
		});
	}
	const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
		child.once('close', (code) => resolve({ code, output }));
	});
	return { group: child.pid!, ended };
}

const folders: string[] = [];

async function temporaryFolder(): Promise<string> {
	const folder = await mkdtemp(path.join(os.tmpdir(), 'job-'));
	folders.push(folder);
	return folder;
}

/** The living processes of a group whose command line has a word in it, oldest first. */
function pidsOf(group: number, word: string): number[] {
	return readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map(Number)
		.filter((pid) => {
			try {
				const [state, , groupOf] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
				const alive = Number(groupOf) === group && state !== 'Z';
				return alive && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word);
			} catch {
				// It ended while we looked.
				return false;
			}
		});
}

/** Waits until a group has no process: a worker that is still importing sees its parent's end a little later. */
async function emptied(group: number): Promise<void> {
	const end = performance.now() + LINGERING;
	while (pidsOf(group, '').length > 0) {
		assert.ok(performance.now() < end, `left after ${LINGERING / 1_000} s: ${pidsOf(group, '').join(', ')}`);
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
}

test.run();
