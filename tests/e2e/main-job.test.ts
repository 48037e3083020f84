/** The main job as a user starts it. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rmdir } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ensureMediasoupWorker } from '../../scripts/mediasoup-worker.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');

test('npm start -- --headless: all that was sent is received and verified, and nothing is left', async () => {
	// Made first, so that what is timed and counted below is the job alone.
	await ensureMediasoupWorker();
	const temporary = await mkdtemp(path.join(os.tmpdir(), 'job-'));
	const { code, output, group } = await start(temporary, '--headless');
	assert.is(code, 0, output);
	for (const row of ROWS) assert.match(output, row);
	assert.not.match(output, /WRONG|Traceback|never retrieved|Unhandled/);
	assert.ok(await emptied(group), 'no process of the group is left 2 s later');
	assert.equal(await readdir(temporary), [], 'temporary files left');
	await rmdir(temporary);
});

const ROWS = [
	/Film bot → Test bot +picture, VP8 +sample\.webm +\d+ frames 320x240 .* code 1515 in .*✓/,
	/Test bot → Film bot +picture, VP8 +test picture and tone +\d+ frames 320x240 .* code 2 in .*✓/,
	/Film bot → Test bot +sound, opus .* 6(59|60|61)\.\d Hz.*✓/,
	/Test bot → Film bot +sound, opus .* 4(39|40|41)\.\d Hz.*✓/,
	/Film bot → Test bot +messages +9 text, 9 binary, \d+ bytes, up to 200000 +18 of 18 confirmed +18 SHA-256.*✓/,
	/Test bot → Film bot +messages +9 text, 9 binary, \d+ bytes, up to 200000 +18 of 18 confirmed +18 SHA-256.*✓/,
	/Film bot → Test bot +picture, H264 +sample\.webm +\d+ frames 320x240 .* code 1515 in .*✓/,
	/All that was sent was received and verified; nothing is left\./,
];

interface Ended {
	code: number | null;
	output: string;
	group: number;
}

/** Runs the demo as npm does, through the launcher, in a process group of its own. */
function start(temporary: string, ...args: string[]): Promise<Ended> {
	return new Promise((resolve) => {
		const command = [path.join('scripts', 'run.cjs'), path.join('demo', 'start.ts'), ...args];
		const child = spawn(process.execPath, command, {
			cwd: ROOT,
			detached: true,
			env: { ...process.env, TMPDIR: temporary },
			stdio: ['ignore', 'pipe', 'pipe'],
		});
		let output = '';
		for (const stream of [child.stdout, child.stderr]) {
			stream.setEncoding('utf8').on('data', (text: string) => {
				output += text;
			});
		}
		child.once('close', (code) => resolve({ code, output, group: child.pid! }));
	});
}

/** Whether a process group has no process any more, at the latest after 2 s: a worker ends when its parent has. */
async function emptied(group: number): Promise<boolean> {
	for (let waited = 0; waited <= 2_000; waited += 50) {
		try {
			process.kill(-group, 0);
		} catch {
			return true;
		}
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	return false;
}

test.run();
