/** What is said where the web platform tests cannot be had. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = path.join(import.meta.dirname, '../../..');
let folder: string;

test.before.each(() => {
	folder = mkdtempSync(path.join(os.tmpdir(), 'get-wpt-test-'));
});
test.after.each(() => rmSync(folder, { recursive: true }));

/** Runs a file for a user who has an empty cache and no programs. */
function run(file: string, env: NodeJS.ProcessEnv = {}) {
	const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(root, file)], {
		env: { HOME: folder, PATH: folder, XDG_CACHE_HOME: folder, ...env },
		encoding: 'utf8',
	});
	return { status, said: `${stdout}${stderr}` };
}

test('without GitHub and Debian the tests fail, with one sentence', () => {
	const sentence = "The web platform tests need GitHub or Debian's sources; set WPT_DIR to a checkout of them";
	assert.equal(run('scripts/wpt.ts'), { status: 1, said: `${sentence}\n` });
	const suite = run('tests/wpt/node.test.ts');
	assert.is.not(suite.status, 0);
	assert.match(suite.said, sentence);
	assert.not.match(suite.said, 'Total:');
});

test('a WPT_DIR that has no tests is named', () => {
	assert.equal(run('scripts/wpt.ts', { WPT_DIR: folder }), {
		status: 1,
		said: `WPT_DIR is ${folder}, where no web platform tests are\n`,
	});
});

test.run();
