/** The runner of all tests, on a project that has some of each kind. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = path.join(import.meta.dirname, '../../..');
const uvu = (body: string) => `import { test } from 'uvu';\n${body}\ntest.run();\n`;
const GOOD = uvu("test('good', () => {});");
const BAD = uvu("test('good', () => {});\ntest('bad', () => { throw new Error('told'); });");

let folder: string;

test.before.each(() => {
	folder = mkdtempSync(path.join(os.tmpdir(), 'runner-test-'));
	mkdirSync(path.join(folder, 'tests/unit'), { recursive: true });
	// The runner takes the folder that it lies in for the project.
	for (const name of ['scripts', 'bridge', 'tests/runtimes/tools.ts'])
		cpSync(path.join(root, name), path.join(folder, name), { recursive: true });
	for (const name of ['worker', 'node_modules', 'package.json']) {
		symlinkSync(path.join(root, name), path.join(folder, name));
	}
});
test.after.each(() => rmSync(folder, { recursive: true }));

test('what passes and what fails is counted, in the last line and the exit code', async () => {
	assert.equal(await run({ good: GOOD, other: GOOD }), { code: 0, last: '2 passed, 0 failed', output: '' });
	const { code, last, output } = await run({ bad: BAD });
	assert.equal([code, last], [1, '3 passed, 1 failed']);
	assert.match(output, /^FAIL tests\/unit\/bad\.test\.ts/m);
	assert.match(output, /told/);
});

test('a file that runs no test, that crashes or that leaves a process is a failure', async () => {
	const left = "import { spawn } from 'node:child_process';\nspawn('sleep', ['60'], { stdio: 'ignore' }).unref();\n";
	const { code, last, output } = await run({ crash: 'throw 1;', empty: '', leaving: left + GOOD, good: GOOD });
	assert.equal([code, last], [1, '2 passed, 4 failed'], output);
	assert.match(output, /empty\.test\.ts .*: no test ran/);
	assert.match(output, /leaving\.test\.ts .*: left behind: sleep 60/);
});

test('files in which shims have connections are run with as many sessions as asked for', async () => {
	const says = (name: string) => `console.log('note: ${name} ' + process.env.AIORTC_SHIM_WORKERS);\n${GOOD}`;
	for (const name of ['integration/pc-one', 'integration/more', 'integration/bridge/one', 'e2e/page-one']) {
		mkdirSync(path.dirname(path.join(folder, 'tests', name)), { recursive: true });
		writeFileSync(path.join(folder, 'tests', `${name}.test.ts`), says(name));
	}
	const env = { AIORTC_SHIM_WORKERS: '' };
	const three = await run({ one: says('unit/one') }, env, ['--sessions', '3', 'unit', 'integration']);
	assert.equal(notes(three.output), ['integration/more 3', 'integration/pc-one 3']);
	const { output } = await run({}, env, ['unit', 'integration/']);
	assert.equal(notes(output), ['integration/bridge/one ', 'integration/more ', 'integration/pc-one ', 'unit/one ']);
});

test('of a file in which all is well only its notes are shown', async () => {
	const { output } = await run({ good: `console.log('note: 93 %');\nconsole.log('chatter');\n${GOOD}` });
	assert.is(output.trim(), 'note: 93 %');
});

test('a file has a process of its own, and a deadline', async () => {
	const state =
		"import * as assert from 'uvu/assert';\nassert.is(globalThis.seen, undefined);\nglobalThis.seen = true;\n";
	// Sixty seconds pass in two.
	const faster = path.join(folder, 'faster.mjs');
	writeFileSync(
		faster,
		'const wait = setTimeout; globalThis.setTimeout = (f, ms, ...rest) => wait(f, ms / 20, ...rest);',
	);
	const { code, last, output } = await run(
		{ one: state + GOOD, two: state + GOOD, hanging: 'setInterval(() => {}, 1000);' },
		{ NODE_OPTIONS: `--import=${faster}` },
	);
	assert.equal([code, last], [1, '2 passed, 1 failed'], output);
	assert.match(output, /hanging\.test\.ts .*: not finished after \d+ s/);
});

/** What files said that is shown, in alphabetical order. */
function notes(output: string): string[] {
	return [...output.matchAll(/note: (.*)$/gm)].map(([, said]) => said!).sort();
}

/** Runs the unit suite of a project that has these files; `output` is what it said of failures. */
async function run(files: Record<string, string>, env: NodeJS.ProcessEnv = {}, args: string[] = ['unit']) {
	for (const [name, content] of Object.entries(files)) {
		writeFileSync(path.join(folder, 'tests/unit', `${name}.test.ts`), content);
	}
	const child = spawn(process.execPath, [path.join(folder, 'scripts/test.ts'), ...args], {
		cwd: folder,
		env: { ...process.env, ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
	const [all, faults] = await Promise.all([text(child.stdout), text(child.stderr)]);
	assert.is(faults, '');
	const lines = all.trimEnd().split('\n');
	const output = lines
		.slice(0, -2)
		.filter((line) => !line.startsWith('ok  '))
		.join('\n');
	return { code: await ended, last: lines.at(-1), output };
}

test.run();
