import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const run = join(import.meta.dirname, '../../../scripts/run.cjs');
const folder = mkdtempSync(join(tmpdir(), 'launcher-'));
const old = join(folder, 'old.cjs');
const tool = join(folder, 'tool.ts');

test.before(() => {
	writeFileSync(old, "Object.defineProperty(process, 'versions', { value: { node: '20.20.2' } });");
	writeFileSync(
		tool,
		`import { execFileSync } from 'node:child_process';
		const args: string[] = process.argv.slice(2);
		console.log(args.join(), process.version === String(execFileSync('node', ['-v'])).trim());
		process.exitCode = args.length;`,
	);
});
test.after(() => rmSync(folder, { recursive: true }));

test('a file gets its arguments, its children the same node, and the shell its status', () => {
	const { stdout, status } = spawnSync(process.execPath, [run, tool, 'a', 'b c'], { encoding: 'utf8' });
	assert.is(stdout, 'a,b c true\n');
	assert.is(status, 2);
});

test('an old Node hands over to the installed package', () => {
	const { stdout, status } = spawnSync(process.execPath, ['-r', old, run, tool, 'x'], { encoding: 'utf8' });
	assert.is(stdout, 'x true\n');
	assert.is(status, 1);
});

test('an old Node without that package says which is needed', () => {
	const alone = join(folder, 'run.cjs');
	copyFileSync(run, alone);
	const { stderr, status } = spawnSync(process.execPath, ['-r', old, alone, tool], { encoding: 'utf8' });
	assert.match(stderr, /^Node >= 22\.18 is needed and this is 20\.20\.2: .*\n$/);
	assert.is(status, 1);
});

test('a signal reaches the file, and its end by one is the launcher’s', async () => {
	const script = join(folder, 'wait.mjs');
	writeFileSync(script, "console.log('ready'); setInterval(() => {}, 1000);");
	const child = spawn(process.execPath, [run, script], { stdio: ['ignore', 'pipe', 'inherit'] });
	await once(child.stdout, 'data');
	child.kill('SIGTERM');
	assert.equal(await once(child, 'exit'), [null, 'SIGTERM']);
});

test('npm’s shell that is ended takes the file with it', async () => {
	const script = join(folder, 'long.mjs');
	writeFileSync(script, "console.log('ready'); setInterval(() => {}, 1000);");
	// The colon keeps the shell from becoming the launcher.
	const shell = spawn('sh', ['-c', `"${process.execPath}" "${run}" "${script}"; :`], {
		env: { ...process.env, npm_lifecycle_event: 'start' },
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	await once(shell.stdout, 'data');
	shell.kill('SIGTERM');
	// The file holds the other end.
	await once(shell.stdout, 'close', { signal: AbortSignal.timeout(20_000) });
});

test.run();
