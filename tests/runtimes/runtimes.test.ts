import { readFileSync, writeFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { childrenOf, isAlive, socketFolders, within } from '../integration/bridge/processes.ts';
import { EmptyFolder, type Ended } from './EmptyFolder.ts';
import { allRuntimes } from './runtimes.ts';

const test = suite('runtimes');

const runtimes = await allRuntimes();
const folder = await EmptyFolder.create();

test.after(() => folder.remove());

/** Ended by itself, soon after its last line, with nothing on stderr but what a slow machine makes the watchdog say. */
function assertEnded({ code, stdout, stderr, lingered }: Ended): void {
	assert.is(code, 0, stdout + stderr);
	assert.not.match(stderr.replace(/^.*watchdog[\s\S]*?blocked for.*$/gm, ''), /error|exception|never|warning/i);
	assert.ok(lingered < 2_000, `${lingered} ms from its last line to its end`);
}

/** The installed command, as in another terminal; what it says for the environment. */
async function startCommand(): Promise<{ environment: NodeJS.ProcessEnv; stop: () => Promise<void> }> {
	const node = { name: 'Node', command: [process.execPath] } as const;
	const command = folder.start(node, folder.installed('scripts', 'aiortc-shim.cjs'), ['bridge', '--token', 'sesame']);
	await command.said('AIORTC_SHIM_TOKEN=sesame');
	const [, url] = /^AIORTC_SHIM_URL=(.*)$/m.exec(command.stdout)!;
	const stop = async () => {
		command.child.kill('SIGINT');
		assert.is((await command.ended).code, 0);
	};
	return { environment: { AIORTC_SHIM_URL: url, AIORTC_SHIM_TOKEN: 'sesame' }, stop };
}

const readme = readFileSync(folder.installed('README.md'), 'utf8');
const [, example] = /```js\n([\s\S]*?)```/.exec(readme)!;
writeFileSync(folder.at('first.mjs'), `${example}\nconsole.log('end');\n`);

for (const runtime of runtimes) {
	for (const count of ['1', '3']) {
		test(`${runtime.name}: the first example of the README does what it says, with AIORTC_SHIM_WORKERS=${count}`, async () => {
			const ended = await folder.run(runtime, 'first.mjs', { AIORTC_SHIM_WORKERS: count });
			assertEnded(ended);
			assert.is(ended.stdout, 'hello 320x240\nend\n');
		});
	}

	test(`${runtime.name}: text, bytes, a picture and a tone arrive, and the program ends by itself`, async () => {
		const ended = await folder.run(runtime, 'call.mjs');
		assertEnded(ended);
		assert.is(ended.stdout, 'grüße 🎈\n100000\n160x120\n440\nend\n');
	});

	test(`${runtime.name}: a shim of its own uses a bridge of its own, and leaves the globals alone`, async () => {
		const ended = await folder.run(runtime, 'elsewhere.mjs', { PORTS: '42300-42319' });
		assertEnded(ended);
		assert.is(ended.stdout, 'hello 1 127.0.0.1\nglobals untouched\nend\n');
	});

	test(`${runtime.name}: the command runs there, and its doctor finds all that is needed`, async () => {
		const ended = await folder.start(runtime, folder.installed('scripts', 'aiortc-shim.cjs'), ['doctor']).ended;
		assert.is(ended.code, 0, ended.stdout + ended.stderr);
		assert.match(ended.stdout, new RegExp(`^ok {4}${runtime.name.toLowerCase()}: \\d+\\.\\d+\\.\\d+ \\(`));
		assert.match(ended.stdout, /^ok {4}environment: aiortc 1\.16\.0/m);
	});

	test(`${runtime.name}: with AIORTC_SHIM_URL and AIORTC_SHIM_TOKEN it starts nothing, and uses that bridge`, async () => {
		const { environment, stop } = await startCommand();
		// Without a Python there is nothing that it could start.
		const ended = await folder.run(runtime, 'call.mjs', { ...environment, AIORTC_SHIM_PYTHON: '/nowhere' });
		await stop();
		assertEnded(ended);
		assert.is(ended.stdout, 'grüße 🎈\n100000\n160x120\n440\nend\n');
	});

	test(`${runtime.name}: a loop that awaits one message at a time sees all 100 that came at once`, async () => {
		const ended = await folder.run(runtime, 'messages.mjs');
		assertEnded(ended);
		assert.is(ended.stdout, '100\nend\n');
	});

	test(`${runtime.name}: a program that only imports the globals ends at once`, async () => {
		assertEnded(await folder.run(runtime, 'idle.mjs'));
	});

	test(`${runtime.name}: an open connection keeps the program alive until it is closed`, async () => {
		const program = folder.start(runtime, 'open.mjs');
		await program.said('open');
		assert.not.ok(await within(2_000, () => program.child.exitCode !== null));
		program.child.kill('SIGTERM');
		assertEnded(await program.ended);
	});

	test(`${runtime.name}: a program that is killed leaves no process and no file after 2 s`, async () => {
		const program = folder.start(runtime, 'open.mjs');
		await program.said('open');
		const workers = childrenOf(program.child.pid);
		assert.is(socketFolders(program.child.pid).length, 1);
		program.child.kill('SIGKILL');
		assert.ok(await within(2_000, () => workers.every((pid) => !isAlive(pid))));
		assert.ok(await within(2000, () => socketFolders(program.child.pid).length === 0));
	});
}

test.run();
